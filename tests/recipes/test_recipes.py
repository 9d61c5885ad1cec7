import keras
import numpy as np
import pytest

from kerasseg import datasets, recipes, zoo

TINY = [
    "data.train={num=4, size=32, seed=1}",
    "data.val={num=2, size=32, seed=2}",
    "augment.size=[32, 32]",
    "model.base_filters=4",
]


def write(tmp_path, text):
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    return path


def test_the_built_in_recipe_builds_everything():
    recipe = recipes.read(None, TINY)
    samples = recipes.build_samples(recipe, None, "train")
    model = recipes.build_model(recipe, samples.classes)
    assert model.output_shape == (None, None, None, 4)
    assert type(recipes.build_loss(recipe)).__name__ == "Weighted"
    assert recipes.build_optimizer(recipe, 5).learning_rate >= 0
    sample = recipes.build_augment(recipe)(
        {k: samples[0][k] for k in ("image", "label")}, np.array([0, 1], "int32")
    )
    assert sample["label"].shape == (32, 32)


def test_a_resolved_recipe_survives_writing_and_reading(tmp_path):
    recipe = recipes.read(None, [*TINY, "model.norm=none", "predict.flips=true"])
    again = recipes.read(write(tmp_path, recipes.dump(recipe)))
    assert again == recipe
    assert again["model"]["norm"] is None
    assert again["predict"] == {"flips": True}


def test_another_architecture_needs_no_options_of_the_built_in_recipes(tmp_path):
    for path, option in ((None, "encoder=tiny"), (recipes.FOLDER, "output_stride=16")):
        given = ["model.architecture=deeplab_v3_plus", f"model.{option}"]
        recipe = recipes.read(path, given)
        assert "base_filters" not in recipe["model"]
    given = ["model.architecture=yolact", "data.dataset=coco", "augment.size=[64, 64]"]
    assert recipes.read(recipes.FOLDER, given)["loss"] == []
    with pytest.raises(
        recipes.RecipeError, match=r"--set model\.base_filters: Unknown"
    ):
        recipes.read(None, ["model.architecture=fpn", "model.base_filters=4"])
    own = write(tmp_path, recipes.FOLDER.read_text())
    message = r"recipe\.toml, line 7: .*'base_filters'.*changes no other option"
    with pytest.raises(recipes.RecipeError, match=message):
        recipes.read(own, ["model.architecture=deeplab_v3_plus"])


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


def test_an_instance_recipe_brings_its_losses_and_the_size_of_its_model(tmp_path):
    text = """
    [model]
    architecture = "center_mask"
    encoder = "tiny"
    [data]
    dataset = "shapes"
    [augment]
    size = [32, 64]
    """
    recipe = recipes.read(write(tmp_path, text))
    assert recipes.task_of(recipe).name == "instance"
    assert recipes.read(write(tmp_path, recipes.dump(recipe))) == recipe
    model = recipes.build_model(recipe, datasets.shapes(1).classes)
    assert model.input_shape == (None, 32, 64, 3)
    assert model.get_layer("head").output["heatmap"].shape[-1] == 3
    assert recipes.build_loss(recipe).function is zoo.center_mask.losses


def test_a_recipe_sets_the_options_of_an_instance_model_s_loss(tmp_path):
    text = """[model]
    architecture = '{}'
    [data]
    dataset = 'shapes'
    [augment]
    size = [64, 64]
    [loss]
    {} = 64
    """
    path = write(tmp_path, text.format("mask_rcnn", "num_rois"))
    recipe = recipes.read(path)
    assert recipes.build_loss(recipe).function.keywords == {"num_rois": 64}
    again = recipes.read(write(tmp_path, recipes.dump(recipe)))
    assert again == recipe
    for name, option in [("mask_rcnn", "seed"), ("yolact", "num_rois")]:
        with pytest.raises(recipes.RecipeError, match=f"line 8: .*{option!r}"):
            recipes.read(write(tmp_path, text.format(name, option)))


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


def test_losses_add_up_with_their_weights():
    recipe = recipes.read(None)
    recipe["loss"] = [{"name": "CrossEntropy"}, {"name": "Dice", "weight": 0.5}]
    loss = recipes.build_loss(recipe)
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(loss)
    )
    labels, logits = np.ones((1, 2, 2)), np.zeros((1, 2, 2, 3), "float32")
    assert float(again(labels, logits)) == float(loss(labels, logits))


def test_real_data_needs_its_root():
    recipe = recipes.read(None)
    recipe["data"] = {"dataset": "camvid", "train": "train", "val": "val"}
    with pytest.raises(recipes.RecipeError, match="--data ROOT"):
        recipes.build_samples(recipe, None, "train")


def test_one_of_several_losses_can_be_set_by_its_name():
    path, text = "unet_plain_isbi2012", "loss.Dice.weight=0.5"
    losses = recipes.read(path, [text])["loss"]
    assert [loss.get("weight") for loss in losses] == [None, 0.5]
    with pytest.raises(recipes.RecipeError, match="of CrossEntropy, Dice, as in loss"):
        recipes.read(path, ["loss.weight=0.5"])
    with pytest.raises(recipes.RecipeError, match=r"must look like train\.epochs"):
        recipes.read(path, ["train.Dice.epochs=5"])


def test_every_data_set_can_be_named():
    names = {"camvid", "coco", "dsb2018", "folder", "isbi2012", "mask_folders"}
    assert names | {"shapes"} <= set(datasets.DATASETS)


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


@pytest.mark.parametrize("name", ["adam", "adamw", "lion", "rmsprop", "sgd"])
@pytest.mark.parametrize("decay_all", [False, True])
def test_weight_decay_leaves_out_biases_and_norms_unless_told(name, decay_all):
    options = [f"optimizer.name={name}", "optimizer.weight_decay=0.1"]
    options += ["optimizer.learning_rate=0.5", "optimizer.schedule=constant"]
    options += ["optimizer.decay_all=true"] * decay_all
    recipe = recipes.read(None, [*TINY, *options])
    optimizer = recipes.build_optimizer(recipe, 5)
    parts = [keras.Input((4, 4, 3)), keras.layers.Conv2D(2, 1)]
    model = keras.Sequential([*parts, keras.layers.BatchNormalization()])
    model.set_weights([np.ones(weight.shape) for weight in model.get_weights()])
    optimizer.build(model.trainable_variables)
    rate = float(optimizer.learning_rate)
    optimizer.apply([np.zeros(w.shape, "float32") for w in model.trainable_variables])
    for weight in model.trainable_variables:
        # Without a gradient only the decay of 0.1 times the rate moves a weight.
        decays = decay_all or weight.name == "kernel"
        expected = 1 - rate * 0.1 if decays else 1
        np.testing.assert_allclose(weight, expected, rtol=1e-6, err_msg=weight.path)


def test_class_weights_may_be_a_table(tmp_path):
    text = "[model]\narchitecture = 'unet'\n[data]\ndataset = 'shapes'\n"
    text += "[[loss]]\nname = 'Dice'\nclass_weights = {0 = 1.0, 1 = 5.0}\n"
    recipe = recipes.read(write(tmp_path, text))
    assert recipes.build_loss(recipe).class_weights == (1.0, 5.0)
    assert recipes.read(write(tmp_path, recipes.dump(recipe))) == recipe


def test_recipes_of_the_zoo_are_known_by_name_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("unet_plain_isbi2012", "zoo/unet_plain_isbi2012"):
        assert recipes.name(name) == "unet_plain_isbi2012"
        assert recipes.read(name)["data"]["dataset"] == "isbi2012"
    with pytest.raises(recipes.RecipeError, match="Did you mean 'unet_plain_isbi2012'"):
        recipes.read("unet_plain_isbi")
    with pytest.raises(recipes.RecipeError, match=r"mine/recipe\.toml"):
        recipes.read("mine/recipe.toml")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.train=train", "has no splits but train and val"),
        ("data.train={size = 64}", "must give num"),
        ('data.train={num = "a"}', "does not fit 'shapes'"),
        ("train.epochs=none", "`epochs` must be a whole number"),
        ("train.on_non_finite=banana", "Unknown on_non_finite"),
        ("predict.tile_px=0", "`tile_px` must be at least 1"),
        ("predict.tile_px=[64]", "one number, or \\(height, width\\)"),
        ('predict.tile_px=["a", "b"]', "must be whole numbers"),
    ],
)
def test_what_cannot_be_trained_is_said_before(override, message):
    with pytest.raises(recipes.RecipeError, match=message):
        recipe = recipes.read(None, [override])
        recipes.build_samples(recipe, None, "train")


def test_a_folder_for_data_without_one_is_refused():
    with pytest.raises(recipes.RecipeError, match="takes no folder"):
        recipes.build_samples(recipes.read(None, TINY), "somewhere", "train")


@pytest.mark.parametrize("table", ["model", "data", "optimizer", "train"])
def test_only_losses_and_augmentations_may_be_several(tmp_path, table):
    text = f"[[{table}]]\nname = 'x'\n[[{table}]]\nname = 'y'"
    with pytest.raises(recipes.RecipeError, match=f"must be one table, .{table}."):
        recipes.read(write(tmp_path, text))


def test_options_by_their_former_names_are_still_read(tmp_path):
    path = write(tmp_path, "[model]\narchitecture = 'pspnet'\nlight = true\n")
    model = recipes.read(path, ["data.dataset=shapes", "data.train={num=2}"])["model"]
    assert model["lightweight"] is True and "light" not in model
