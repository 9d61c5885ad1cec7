import json

import pytest

from kerasseg import recipes, runs
from kerasseg.recipes import read
from kerasseg.runs import choosing, folder

OPTIONS = [
    "data.train={num=4, size=32, seed=1}",
    "data.val={num=2, size=32, seed=2}",
    "augment.size=[32, 32]",
    "model.base_filters=4",
]


@pytest.fixture
def run(tmp_path):
    """A run folder with weights that nobody has trained."""
    recipe = read(None, OPTIONS)
    samples = recipes.build_samples(recipe, None, "val")
    facts = folder.facts_of(samples, None, "run")
    reasons = {("model", "encoder"): "it is small"}
    notes = runs.Notes(("Planned.",), reasons, {"minutes": 15})
    folder.write_start(tmp_path, recipe, facts, notes)
    model = recipes.build_model(recipe, samples.classes)
    model.save_weights(tmp_path / "best.weights.h5")
    return tmp_path, samples


def test_chosen_options_belong_to_the_run(run, monkeypatch):
    out, samples = run
    monkeypatch.setattr(choosing, "MOST_IMAGES", 1)
    found = choosing.choose(out, samples)
    written = json.loads((out / "chosen.json").read_text())
    assert written["options"] == found
    assert written["images"] == 1
    tried = [(one["flips"], one["min_area_px"]) for one in written["tried"]]
    assert {*tried} == {(x, y) for x in (False, "both") for y in (1, 8, 32, 128, 512)}
    (out / "chosen.json").write_text('{"options": {"flips": "both"}}')
    assert choosing.choose(out, samples) == {}  # a run that goes on chooses once
    _, recipe, _ = runs.load(out)
    assert recipe["predict"] == {"flips": "both"}
    (out / "chosen.json").write_text('{"options": ')
    with pytest.raises(runs.RunError, match=r"chosen\.json must hold the options"):
        runs.load(out)


def test_options_of_the_recipe_are_not_chosen(run):
    out, samples = run
    text = (
        out / "recipe.toml"
    ).read_text() + "[predict]\nflips = false\nmin_area_px = 4\n"
    (out / "recipe.toml").write_text(text)
    assert choosing.choose(out, samples) == {}
    assert json.loads((out / "chosen.json").read_text())["options"] == {}


def test_notes_are_kept_when_a_run_goes_on(run):
    out, samples = run
    text = (out / "recipe.toml").read_text()
    assert text.startswith("# Planned.\n\n[model]\n")
    assert '# it is small\nencoder = "plain"' in text
    folder.write_start(out, read(None, OPTIONS), folder.facts_of(samples, None, "run"))
    assert (out / "recipe.toml").read_text() == text
    assert json.loads((out / "plan.json").read_text()) == {"minutes": 15}
