"""Recipes that were made to harm: one typed error each, with a short message."""

import pytest

from kerasseg import recipes

NINES = "9" * 5000


@pytest.mark.parametrize(
    "text",
    [
        '[model]\narchitecture = ["unet"]',
        "[model]\narchitecture = {a = 1}",
        f"[train]\nepochs = {NINES}",
        "[train]\nepochs = 99999999999999999999",
        "[train]\nepochs = -1",
        "[train]\nbatch_size = 0",
        "[train]\nclip_norm = nan",
        "[train]\nema_decay = -0.5",
        "[optimizer]\nlearning_rate = inf",
        "[optimizer]\nwarmup_epochs = -1.0",
        "[optimizer]\nweight_decay = nan",
        '[[loss]]\nname = "CrossEntropy"\nweight = nan',
        "[predict]\nflips = nan",
        "[predict]\ntile_px = -5",
        "[predict]\ntile_px = nan",
        f'[model]\narchitecture = "{"x" * 50_000}"',
        "[" * 90_000,
        "a = " + "[" * 90_000,
        'x = "\0"',
        "a = 1\na = 2",
        "[data]\nsplit = 1979-05-27T07:32:00Z",
    ],
    ids=range(21),
)
def test_a_false_recipe_is_one_typed_error(tmp_path, text):
    path = tmp_path / "recipe.toml"
    table, _, line = text.rpartition("\n")
    if table.startswith(("[train]", "[optimizer]", "[predict]", "[[loss]]")):
        text = f'[model]\narchitecture = "unet"\n[data]\ndataset = "shapes"\n{text}'
        option = line.partition(" ")[0]
    else:
        option = ""
    path.write_text(text)
    with pytest.raises(recipes.RecipeError) as info:
        recipes.read(path)
    assert len(str(info.value)) < 2500
    assert option in str(info.value) or NINES in text


@pytest.mark.parametrize("path", ["a\0b", "\ud800", ".", "x" * 10_000, "/dev/zero"])
def test_a_path_that_is_no_file_is_a_typed_error(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(recipes.RecipeError) as info:
        recipes.read(path)
    str(info.value).encode()


@pytest.mark.parametrize("value", [NINES, "nan", "-1", "[" * 9000, "1979-05-27"])
def test_a_false_override_is_a_typed_error(value):
    with pytest.raises(recipes.RecipeError) as info:
        recipes.read(None, [f"train.epochs={value}"])
    assert len(str(info.value)) < 2500
