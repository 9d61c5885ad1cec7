import json

import numpy as np
import pytest
from scipy.special import softmax

from kerasseg import recipes, runs
from kerasseg.cli import main
from kerasseg.images import write_image
from kerasseg.runs import folder

OPTIONS = [
    "data.train={num=4, size=32, seed=1}",
    "data.val={num=3, size=32, seed=2}",
    "augment.size=[32, 32]",
    "model.base_filters=2",
]


def untrained(out, seed, *more):
    """A run folder with weights that nobody has trained."""
    recipe = recipes.read(None, [*OPTIONS, f"train.seed={seed}", *more])
    samples = recipes.build_samples(recipe, None, "val")
    out.mkdir(parents=True)
    folder.write_start(out, recipe, folder.facts_of(samples, None, out.name))
    model = recipes.build_model(recipe, samples.classes)
    model.save_weights(out / "best.weights.h5")
    return out


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    root = tmp_path_factory.mktemp("cv")
    return [untrained(root / f"fold{i}", i) for i in range(2)]


def test_several_runs_are_one_model(pair, rng):
    image = rng.integers(0, 256, [1, 32, 32, 3]).astype("float32")
    members = [runs.load(run)[0] for run in pair]
    both, task, look, _ = runs.ready(pair)
    expected = np.mean([softmax(m(image).numpy(), axis=-1) for m in members], axis=0)
    np.testing.assert_allclose(
        softmax(both(image).numpy(), axis=-1), expected, atol=1e-6
    )
    assert task.name == "semantic"
    assert len(look["class_names"]) == 4


def test_evaluate_and_predict_take_several_runs(pair, tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    given = [part for run in pair for part in ("--run", str(run))]
    assert main(["evaluate", *given]) == 0
    name = pair[0].parent.name  # folds go by the name of their folder
    results = json.loads((tmp_path / f"evaluations/{name}/results.json").read_text())
    assert results["seeds"] == [0, 1]
    write_image(tmp_path / "a.png", rng.integers(0, 256, [20, 30, 3], "uint8"))
    assert main(["predict", "a.png", "--run", str(pair[0].parent)]) == 0
    assert list((tmp_path / "predictions").rglob("a*.png"))


def test_runs_that_do_not_fit_are_named(pair, tmp_path, capsys):
    other = untrained(tmp_path / "other", 3)
    facts = json.loads((other / "run.json").read_text())
    facts["classes"][1] = "disk"
    (other / "run.json").write_text(json.dumps(facts))
    with pytest.raises(runs.RunError, match="the same classes"):
        runs.ready([pair[0], other])
    assert main(["evaluate", "--run", str(pair[0]), "--run", str(tmp_path / "no")]) == 1
    assert "Missing: recipe.toml" in capsys.readouterr().err


def test_chosen_thresholds_of_members_are_averaged():
    from kerasseg.runs.members import _agreed

    options = [{"score_threshold": 0.4, "min_area_px": 9}, {"score_threshold": 0.6}]
    assert _agreed(options) == {"score_threshold": pytest.approx(0.5), "min_area_px": 9}
    assert _agreed([{"flips": "both"}, {"flips": False}]) == {"flips": "both"}
