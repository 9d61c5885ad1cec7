"""Trainings that begin with weights: by name, of a run, or from a file."""

import pathlib
import zipfile

import numpy as np
import pytest

from kerasseg import recipes, runs, weights, zoo
from kerasseg.cli import main
from kerasseg.images import write_image, write_mask
from kerasseg.runs import warm_start
from kerasseg.weights import WeightsError, catalog
from kerasseg.zoo import _builder, _references

FILES = pathlib.Path(__file__).parents[1] / "files"
SHORT = [
    *("--set", "train.epochs=1", "--set", "train.steps_per_epoch=1"),
    *("--set", "train.batch_size=2", "--set", "augment.size=[32, 32]"),
    *("--set", "train.precision=float32", "--json"),
]


@pytest.fixture(scope="module")
def two_classes(tmp_path_factory):
    root = tmp_path_factory.mktemp("two_classes")
    for number in range(6):
        image = np.random.default_rng(number).integers(0, 256, [32, 32, 3], "uint8")
        write_image(root / f"images/{number}.png", image)
        write_mask(root / f"labels/{number}.png", (image[..., 0] > 127).astype("uint8"))
    return root


def trained(root, out, *options):
    command = ["train", "--data", str(root), "--out", str(out), *SHORT, *options]
    assert main(command) == 0
    return runs.load(out)


def kernel(model, name):
    return model.get_layer(name).kernel.numpy()


@pytest.mark.slow
def test_published_weights_bring_their_model(tmp_path, two_classes, capsys):
    # With a rate of 0 for the whole encoder it stays as published.
    rates = "optimizer.rates={encoder = 0.0}"
    out = tmp_path / "run"
    model, recipe, facts = trained(two_classes, out, "--init", "shapes", "--set", rates)
    expected = {"architecture": "unet", "encoder": "plain", "base_filters": 8}
    assert recipe["model"] == expected
    assert model.output_shape[-1] == 2 == len(facts["classes"])
    published = zoo.load("shapes")
    inside = (zoo.part_of(x, "encoder")[0] for x in (model, published))
    ours, theirs = (kernel(x, "level0_1_conv") for x in inside)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    assert recipe["train"]["init"] == "shapes"
    # The same command goes on with the run, and a run begins another one.
    assert trained(two_classes, out, "--init", "shapes", "--set", rates)
    again, recipe, _ = trained(
        two_classes,
        tmp_path / "again",
        "--init",
        str(out),
        "--set",
        "train.freeze=encoder",
    )
    inside = zoo.part_of(again, "encoder")[0]
    np.testing.assert_allclose(kernel(inside, "level0_1_conv"), theirs, rtol=1e-6)


def test_a_frozen_part_keeps_its_statistics(shapes_model):
    warm_start.begin(shapes_model, {"init": "", "freeze": "encoder"})
    assert not zoo.part_of(shapes_model, "encoder")[0].trainable_variables
    with pytest.raises(ValueError, match="Received: part='head2'"):
        warm_start.begin(shapes_model, {"init": "", "freeze": "head2"})


@pytest.fixture
def shapes_model():
    return zoo.unet(4, base_filters=8)


def test_the_head_is_kept_where_the_classes_are_the_same(shapes_model):
    warm_start.begin(shapes_model, {"init": "shapes", "freeze": ""})
    published = zoo.load("shapes")
    for ours, theirs in zip(shapes_model.weights, published.weights):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.parametrize(
    "init, error, message",
    [
        ("shape", ValueError, "Did you mean 'shapes'"),
        ("none/such.npz", runs.RunError, "no weights to begin with"),
    ],
)
def test_what_is_not_there_is_said(shapes_model, init, error, message):
    with pytest.raises(error, match=message):
        warm_start.begin(shapes_model, {"init": init, "freeze": ""})


def test_weights_of_another_network_are_refused():
    model = zoo.unet(4, base_filters=4)
    with pytest.raises(WeightsError, match="misshapen"):
        warm_start.begin(model, {"init": "shapes", "freeze": ""})


def test_a_folder_of_another_library_brings_its_model(tmp_path):
    with zipfile.ZipFile(FILES / "stardist_own.zip") as file:
        file.extractall(tmp_path)
    init = str(tmp_path / "own")
    table = warm_start.model_table(init)
    expected = {"as_published": True, "grid": 1, "depth": 2, "num_rays": 8}
    assert expected.items() <= table.items()
    assert table.pop("architecture") == "stardist"
    model = zoo.stardist(**table, input_shape=(None, None, 2))
    warm_start.begin(model, {"init": init, "freeze": ""})
    for ours, theirs in zip(model.weights, zoo.load(init).weights):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    other = zoo.stardist(8, as_published=True, grid=1, depth=2, base_filters=2)
    with pytest.raises(WeightsError, match="misshapen"):
        warm_start.begin(other, {"init": init, "freeze": ""})


@pytest.mark.parametrize("rates", ["{encoder = -1.0}", "[1]", '{encoder = "slow"}'])
def test_rates_are_checked(rates):
    with pytest.raises(recipes.RecipeError, match="`rates` must give"):
        recipes.read(None, [f"optimizer.rates={rates}"])


BY_REFERENCE = [
    "fcn_resnet50_coco",
    "deeplab_v3_mobilenet_v3_large_coco",
    "u2net_small",
]


@pytest.mark.parametrize("name", [*BY_REFERENCE, "mask_rcnn_resnet50_coco"])
def test_published_files_fit_the_model_that_they_bring(name, tmp_path):
    # Without their file: whether it is the reference's model, by options and shapes.
    entry, table = catalog.entry(name), warm_start.model_table(name)
    recipe = recipes.read(recipes.FOLDER, ["augment.size=[64, 64]"], model=table)
    (tmp_path / "recipe.toml").write_text(recipes.dump(recipe))
    again = recipes.read(tmp_path)
    assert again == recipe
    model = recipes.build_model(again, ["background", "thing", "other"])
    if entry.reference:
        reference = zoo.REFERENCES[entry.reference].references[entry.reference]
        assert not _references._differences(entry.reference, reference, model)
    else:
        published = zoo._built(entry, None)
        head = _builder.head_of(model)
        ours, theirs = map(weights.named_variables, (model, published))
        assert ours.keys() == theirs.keys()
        assert all(ours[x].shape == theirs[x].shape for x in {*ours} - head)


def test_models_of_objects_bring_their_losses():
    for name in ("nuclei", "mask_rcnn_resnet50_coco"):
        recipe = recipes.read(recipes.FOLDER, model=warm_start.model_table(name))
        assert recipe["model"]["architecture"] == catalog.entry(name).architecture
        assert not recipe["loss"]


def test_weights_of_an_encoder_are_told_their_option():
    with pytest.raises(runs.RunError, match="encoder_weights=imagenet"):
        warm_start.model_table("resnet18_imagenet")


@pytest.mark.parametrize("options", ["3", "{nothing = 1}", "{output_stride = 8}"])
def test_options_of_an_encoder_are_checked(options):
    with pytest.raises(recipes.RecipeError, match="encoder_options"):
        recipes.read(None, [f"model.encoder_options={options}"])
