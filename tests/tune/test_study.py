"""The search, with trainings that only say how good their learning rate is."""

import json
import math
import sys

import pytest

from kerasseg import recipes, runs, tune
from kerasseg.cli import main, plan

pytest.importorskip("optuna")
# Optuna's own database layer warns of its future.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
BEST = 3e-3


def quality(recipe):
    """1 at the best learning rate, less on either side."""
    return 1 - abs(math.log(recipe["optimizer"]["learning_rate"] / BEST)) / 4


@pytest.fixture
def recipe():
    return recipes.complete(
        {
            "model": {"architecture": "unet"},
            "data": {"dataset": "folder"},
            "augment": {"name": "geometry", "size": [64, 64]},
            "optimizer": {"learning_rate": 1e-3},
        }
    )


class Trainings:
    """Stands for `runs.train`; notes its folders."""

    def __init__(self, stop_at=None):
        self.folders, self.stop_at = [], stop_at

    def __call__(self, recipe, *, root, out, name, on_event):
        self.folders.append(out.name)
        (out / "checkpoints").mkdir(parents=True, exist_ok=True)
        score = quality(recipe)
        for epoch in range(1, 4):
            if len(self.folders) == self.stop_at and epoch == 2:
                raise KeyboardInterrupt
            on_event({"kind": "epoch", "epoch": epoch, "mean_iou": score * epoch / 3})
        return out, {"mean_iou": score}


def test_the_search_finds_better_options_and_stops_bad_ones(recipe, tmp_path):
    train, events = Trainings(), []
    found = tune.tune(
        recipe, out=tmp_path, trials=25, train=train, on_event=events.append
    )
    assert found["start"] == pytest.approx(quality(recipe))
    assert found["best"] > 0.97 > found["start"]
    states = [one["state"] for one in found["trials"]]
    assert len(states) == 25
    assert "PRUNED" in states
    best = recipes.read(tmp_path / "recipe.toml")
    assert quality(best) == pytest.approx(found["best"])
    text = (tmp_path / "recipe.toml").read_text()
    assert "# the best of 25 trials: optimizer.learning_rate" in text
    assert json.loads((tmp_path / "tune.json").read_text()) == found
    assert not (tmp_path / "trial0/checkpoints").exists()
    assert [e["kind"] for e in events].count("tried") == 25


def test_a_search_that_was_stopped_goes_on_in_the_same_training(recipe, tmp_path):
    train = Trainings(stop_at=3)
    with pytest.raises(KeyboardInterrupt):
        tune.tune(recipe, out=tmp_path, trials=5, train=train)
    assert train.folders == ["trial0", "trial1", "trial2"]
    assert (tmp_path / "trial2/checkpoints").is_dir()  # to go on from
    again = Trainings()
    found = tune.tune(recipe, out=tmp_path, trials=5, train=again)
    assert again.folders[0] == "trial2"
    assert len(again.folders) == 3
    assert len(found["trials"]) == 5
    assert tune.tune(recipe, out=tmp_path, trials=5, train=Trainings()) == found


def test_a_search_of_another_recipe_is_refused(recipe, tmp_path):
    tune.tune(recipe, out=tmp_path, trials=1, train=Trainings())
    other = {**recipe, "optimizer": {**recipe["optimizer"], "learning_rate": 1e-2}}
    with pytest.raises(runs.RunError, match="a search of another recipe"):
        tune.tune(other, out=tmp_path, trials=1, train=Trainings())


def test_a_training_that_breaks_down_is_an_answer(recipe, tmp_path):
    def train(changed, *, root, out, name, on_event):
        if changed["optimizer"]["learning_rate"] != 1e-3:
            raise ArithmeticError("loss=nan")
        return out, {"mean_iou": 0.4}

    found = tune.tune(recipe, out=tmp_path, trials=3, train=train)
    assert (found["best"], found["trial"]) == (0.4, "trial0")


def test_minutes_end_a_search_before_the_trials_do(recipe, tmp_path):
    found = tune.tune(recipe, out=tmp_path, trials=100, minutes=1e-9, train=Trainings())
    assert len(found["trials"]) == 1


def test_numbers_of_trials_that_are_none_are_refused(recipe, tmp_path):
    with pytest.raises(ValueError, match="`trials` must be at least 1"):
        tune.tune(recipe, out=tmp_path, trials=0)


def test_a_missing_optuna_is_told_before_a_plan_takes_its_minutes(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "optuna", None)
    monkeypatch.setattr(plan, "for_trials", lambda *_: pytest.fail("planned"))
    out = str(tmp_path / "out")
    command = ["tune", "--data", str(tmp_path), "--minutes", "5", "--out", out]
    assert main(command) == 1
    assert "kerasseg[tune]" in capsys.readouterr().err
