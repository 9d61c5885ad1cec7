import tomllib

import pytest

from kerasseg import recipes
from kerasseg.recipes.write import WIDTH

REASONS = {
    ("model", "architecture"): "thin structures, " * 12,
    ("loss", "name"): "shares are even",
    ("train", None): "as long as 15 minutes take",
}


def test_reasons_stand_above_their_keys_and_the_recipe_is_the_same(tmp_path):
    recipe = recipes.read()
    text = recipes.dump(recipe, REASONS, head=["Planned for 15 minutes."])
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    assert recipes.read(path) == recipe
    lines = text.splitlines()
    assert lines[0] == "# Planned for 15 minutes."
    assert lines[lines.index('architecture = "unet"') - 1].startswith("# ")
    assert lines[lines.index("[train]") - 1] == "# as long as 15 minutes take"
    assert text.count("# shares are even") == 1  # at the first of two losses
    comments = [line for line in lines if line.startswith("#")]
    assert max(map(len, comments)) <= WIDTH


def test_a_reason_cannot_end_its_comment(tmp_path):
    """Names of files and classes come from the data."""
    reason = "class 'a\nmodel = 1\r\x00\x1f\ud800' is rare"
    text = recipes.dump(recipes.read(), {("model", "encoder"): reason}, [reason])
    assert tomllib.loads(text.encode().decode())["model"]["architecture"] == "unet"


def test_tables_of_a_program_are_completed_and_checked():
    tables = {"model": {"architecture": "unet"}, "data": {"dataset": "shapes"}}
    tables["augment"] = {"size": [32, 32]}
    tables["data"] |= {"train": {"num": 4}, "val": {"num": 2}}
    recipe = recipes.complete(tables, ["train.epochs=3"])
    assert recipe["train"]["epochs"] == 3
    assert recipe["optimizer"]["name"] == "adamw"
    assert "train" not in tables
    with pytest.raises(recipes.RecipeError, match=r"^--set train\.epoch: Unknown"):
        recipes.complete(tables, ["train.epoch=3"])
    tables["model"]["depth"] = 3
    with pytest.raises(recipes.RecipeError, match=r"^\[model\]: Unknown.*'depth'"):
        recipes.complete(tables)
