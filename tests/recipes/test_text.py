"""Recipes as text: read, overridden, written, and refused by line."""

import pytest

from kerasseg import recipes
from tests.recipes.small import TINY, write

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
        "[train]\nswa_from = 1.0",
        "[train]\nema_decay = 0.9\nswa_from = 0.5",
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
    ids=range(23),
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


def test_a_resolved_recipe_survives_writing_and_reading(tmp_path):
    recipe = recipes.read(None, [*TINY, "model.norm=none", "predict.flips=true"])
    again = recipes.read(write(tmp_path, recipes.dump(recipe)))
    assert again == recipe
    assert again["model"]["norm"] is None
    assert again["predict"] == {"flips": True}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[model]\narchitecture = 'unte'", "line 2: .*Did you mean 'unet'"),
        (
            "[model]\narchitecture = 'panoptic_deeplab'\n[[loss]]\nname = 'Dice'",
            "its own losses",
        ),
        ("[model]\narchitecture = 'yolact'\n[[loss]]\nname = 'Dice'", "its own losses"),
        (
            "[model]\narchitecture = 'yolact'\nimage_size = [64, 64]",
            "line 3: .*augment",
        ),
        ("[model]\narchitecture = 'yolact'", r"`size` must be .*Received: None"),
        (
            "[model]\narchitecture = 'yolact'\n[augment]\nsize = [60, 64]",
            "line 4: .*multiples of 32",
        ),
        ("[model]\narchitecture = 'unet'\nfilters = 3", "line 3: .*'base_filters'"),
        ("[train]\nepoch = 3", r"line 2: .*\[train\].*Did you mean 'epochs'"),
        ("[train]\nepochs = 'three'", "line 2: `epochs` must be a whole number"),
        ("[train]\nepochs = true", "line 2: `epochs` must be a whole number"),
        ("[trian]\nepochs = 1", "line 1: .*Did you mean 'train'"),
        ("[predict]\nzoom = 2.0", r"line 2: .*\[predict\].*'zoom'"),
        (
            "[model]\narchitecture = 'stardist'\n[augment]\nsize = [64, 64]\n"
            "[predict]\nzoom = 2.0",
            r"line 6: .*\[predict\].*'zoom'",
        ),
        ("[model]\nencoder = 'plain'", "must have `architecture`"),
        ("[loss]\nname = 'Dise'", "line 2: .*Did you mean 'Dice'"),
        ("[optimizer]\nname = 'adan'", "line 2: .*Did you mean 'adam"),
        ("[data]\ndataset = 'camvit'", "line 2: .*Did you mean 'camvid'"),
        ("[data]\ndataset = 'shapes'\ntrain = {nun = 3}", "Did you mean 'num'"),
        ("model = [", "not valid TOML"),
        ("train = 3", "line 1: .*must be a table"),
        (f"train = {'[' * 20_000}", "not valid TOML"),
        (f"train{'.a' * 20_000} = 1", "line 1: at most 200 dots"),
        ("#" * 100_000, "smaller than 100000 bytes"),
    ],
)
def test_a_bad_recipe_names_line_problem_and_fix(tmp_path, text, message):
    base = {
        "model": "[model]\narchitecture = 'unet'\n",
        "data": "[data]\ndataset = 'shapes'\n",
    }
    rest = "".join(table for name, table in base.items() if f"[{name}]" not in text)
    path = write(tmp_path, f"{text}\n{rest}")
    with pytest.raises(recipes.RecipeError, match=message):
        recipes.read(path)


def test_a_bad_override_is_not_blamed_on_the_file(tmp_path):
    path = write(tmp_path, "[model]\narchitecture = 'unet'\n[data]\ndataset = 'shapes'")
    with pytest.raises(
        recipes.RecipeError, match=r"^--set train.epochs: `epochs` must"
    ):
        recipes.read(path, ["train.epochs=many"])


@pytest.mark.parametrize("override", ["epochs=3", "train.epochs", "train.epochz=3"])
def test_a_bad_override_is_refused(override):
    with pytest.raises(recipes.RecipeError, match="epoch"):
        recipes.read(None, [override])


def test_a_missing_recipe_is_named(tmp_path):
    with pytest.raises(recipes.RecipeError, match="nowhere"):
        recipes.read(tmp_path / "nowhere")


def test_every_recipe_of_the_zoo_can_be_read(request):
    paths = sorted((request.config.rootpath / "zoo").glob("*/recipe.toml"))
    found = {path.parent.name: recipes.read(path) for path in paths}
    tasks = {name: recipes.task_of(recipe).name for name, recipe in found.items()}
    assert tasks["unet_plain_isbi2012"] == "semantic"
    assert tasks["yolact_plain_shapes"] == "instance"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("values={0: 0, 255: 1}", {"0": 0, "255": 1}),
        ('values={"0-127": 0, "128-255": 1}', {"0-127": 0, "128-255": 1}),
        ("values={-1: 255, 0: 0}", {"-1": 255, "0": 0}),
        ('values={"0" = 0, "255" = 1}', {"0": 0, "255": 1}),
        ("colors={(0, 0, 0): 0, (255, 0, 0): 1}", {"0, 0, 0": 0, "255, 0, 0": 1}),
        ("colors=[(0, 0, 0), (255, 0, 0)]", [[0, 0, 0], [255, 0, 0]]),
        ('colors={"#ff0000": 1, "#000000": 0}', {"#ff0000": 1, "#000000": 0}),
        ("classes=['sky', 'ground']", ["sky", "ground"]),
    ],
)
def test_overrides_are_taken_as_messages_show_them(tmp_path, text, value):
    path = tmp_path / "recipe.toml"
    recipe = recipes.read(recipes.FOLDER, [f"data.{text}"])
    key = text.partition("=")[0]
    assert recipe["data"][key] == value
    path.write_text(recipes.dump(recipe), encoding="utf-8")
    assert recipes.read(path) == recipe


def test_half_a_mapping_is_refused_with_the_quotes_that_a_shell_needs():
    with pytest.raises(recipes.RecipeError, match=r"--set 'data\.values="):
        recipes.read(recipes.FOLDER, ["data.values={0:"])


def test_recipes_of_the_zoo_are_known_by_name_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("unet_plain_isbi2012", "zoo/unet_plain_isbi2012"):
        assert recipes.name(name) == "unet_plain_isbi2012"
        assert recipes.read(name)["data"]["dataset"] == "isbi2012"
    with pytest.raises(recipes.RecipeError, match="Did you mean 'unet_plain_isbi2012'"):
        recipes.read("unet_plain_isbi")
    with pytest.raises(recipes.RecipeError, match=r"mine/recipe\.toml"):
        recipes.read("mine/recipe.toml")


@pytest.mark.parametrize("table", ["model", "data", "optimizer", "train"])
def test_only_losses_and_augmentations_may_be_several(tmp_path, table):
    text = f"[[{table}]]\nname = 'x'\n[[{table}]]\nname = 'y'"
    with pytest.raises(recipes.RecipeError, match=f"must be one table, .{table}."):
        recipes.read(write(tmp_path, text))


def test_one_of_several_losses_can_be_set_by_its_name():
    path, text = "unet_plain_isbi2012", "loss.Dice.weight=0.5"
    losses = recipes.read(path, [text])["loss"]
    assert [loss.get("weight") for loss in losses] == [None, 0.5]
    with pytest.raises(recipes.RecipeError, match="of CrossEntropy, Dice, as in loss"):
        recipes.read(path, ["loss.weight=0.5"])
    with pytest.raises(recipes.RecipeError, match=r"must look like train\.epochs"):
        recipes.read(path, ["train.Dice.epochs=5"])
