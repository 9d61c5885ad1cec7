import json

import pytest

from kerasseg import recipes, runs
from kerasseg.runs import folder, folds, members

RESULTS = [
    {"mean_iou": 0.5, "classes": {"a": {"iou": 0.4}, "b": {"iou": None}}},
    {"mean_iou": 0.7, "classes": {"a": {"iou": 0.6}}},
    {"mean_iou": 0.6, "classes": {"a": {"iou": 0.5}}},
]


def test_the_summary_is_the_mean_and_the_spread_of_a_sample():
    found = folds.summary(RESULTS, "mean_iou")
    # Mean 0.6; deviations -0.1, 0.1, 0: sqrt(0.02 / 2).
    assert found["mean"] == pytest.approx(0.6)
    assert found["std"] == pytest.approx(0.1)
    assert found["classes"]["a"]["mean"] == pytest.approx(0.5)
    assert found["classes"]["b"] == {"scores": [None] * 3, "mean": None, "std": None}
    table = folds.table(found)
    assert "fold 1   70.00" in table
    assert "mean     60.00  +- 10.00" in table


@pytest.fixture
def trained(monkeypatch, tmp_path):
    """`train_folds` whose trainings only write their recipe and a score."""
    calls = []

    def train(recipe, *, root, out, name, **more):
        calls.append((out.name, recipe["data"]["fold"], more))
        out.mkdir(parents=True)
        (out / "recipe.toml").write_text(recipes.dump(recipe))
        (out / "results.json").write_text(json.dumps(RESULTS[len(calls) - 1]))

    monkeypatch.setattr(folds, "train", train)
    monkeypatch.setattr(folder, "RUNS", tmp_path / "runs")
    return calls


def test_each_fold_is_a_run_and_those_that_are_done_are_kept(trained, tmp_path):
    recipe = recipes.read(None, ["augment.size=[32, 32]"])
    out, found = runs.train_folds(recipe, 3, out=tmp_path / "cv", distribute="none")
    assert [call[:2] for call in trained] == [("fold0", 0), ("fold1", 1), ("fold2", 2)]
    assert trained[0][2] == {"distribute": "none"}
    assert json.loads((out / "folds.json").read_text()) == found
    (out / "fold1/results.json").unlink()
    with pytest.raises(FileExistsError):  # it would have gone on there
        runs.train_folds(recipe, 3, out=tmp_path / "cv")
    assert [call[0] for call in trained[3:]] == ["fold1"]
    assert members.expand([out]) == [out / f"fold{i}" for i in range(3)]
    assert members.name_of(members.expand([out])) == "cv"
    other = recipes.read(None, ["augment.size=[16, 16]"])
    with pytest.raises(runs.RunError, match="another recipe"):
        runs.train_folds(other, 3, out=tmp_path / "cv")


def test_without_a_folder_unfinished_folds_go_on_and_others_get_a_number(trained):
    recipe = recipes.read(None, ["augment.size=[32, 32]"])
    out, _ = runs.train_folds(recipe, 2, name="shapes")
    assert out.name == "shapes-folds"
    (out / "folds.json").unlink()
    assert runs.train_folds(recipe, 2, name="shapes")[0] == out
    trained.clear()
    assert runs.train_folds(recipe, 2, name="shapes")[0].name == "shapes-folds-2"


@pytest.mark.parametrize("number", [-1, 0, 1, 101])
def test_numbers_of_folds_that_are_none_are_refused(number):
    with pytest.raises(ValueError, match=r"`folds` must be in 2\.\.100"):
        runs.train_folds(recipes.read(), number)
