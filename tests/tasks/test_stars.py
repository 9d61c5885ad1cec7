"""StarDist from a recipe to objects: train, evaluate, predict, serve."""

import json

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import predict, recipes
from kerasseg.cli import main
from kerasseg.images import read_mask, write_image, write_mask
from kerasseg.instance.star_distances import star_targets
from kerasseg.metrics.instances import iou_table

RECIPE = """
[model]
architecture = "stardist"
encoder = "tiny"
num_rays = 8
grid = 2
decoder_filters = [16, 16, 8, 8, 8]
head_filters = 16

[data]
dataset = "mask_folders"
val_fraction = 0.5

[augment]
size = [64, 64]

[train]
epochs = 2
steps_per_epoch = 2
batch_size = 2
precision = "float32"

[predict]
# Four steps teach little: all 1152 cells of the grid may be found.
max_objects = 2000
"""


def discs(size, seed=0):
    """Ids int32 [H, W] of six discs that do not touch."""
    labels = np.zeros(size, "int32")
    radii = np.random.default_rng(seed).integers(7, 10, 6).tolist()
    for number, radius in enumerate(radii):
        center = (12 + 22 * (number % 3), 14 + 26 * (number // 3))
        cv2.circle(labels, center, radius, number + 1, -1)
    return labels


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stars")
    for side in ("images", "labels"):
        (folder / "data" / side).mkdir(parents=True)
    for number in range(8):
        labels = discs((64, 72), number)
        image = np.repeat(60 + 120 * (labels > 0)[..., None], 3, 2).astype("uint8")
        write_image(folder / f"data/images/{number}.png", image)
        write_mask(folder / f"data/labels/{number}.png", labels)
    (folder / "recipe.toml").write_text(RECIPE)
    out = folder / "run"
    data = str(folder / "data")
    assert main(["train", str(folder), "--data", data, "--out", str(out)]) == 0
    return out


@pytest.mark.parametrize("grid", [1, 2])
@pytest.mark.parametrize("size", [(64, 72), (61, 75)])
def test_perfect_maps_give_the_objects(grid, size):
    """A model that reads its maps from the channels of its image."""
    image = keras.Input([None, None, 33])
    maps = image[:, ::grid, ::grid]
    outputs = {"logits": 20 * maps[..., :1] - 10, "distances": maps[..., 1:]}
    model = keras.Model(image, outputs)
    labels = discs(size)
    truth = star_targets(labels, 32)
    channels = np.concatenate([truth["probabilities"], truth["distances"]], -1)
    found = predict.stars(model, channels)
    assert found.masks.shape == (6, *size) and not found.classes.any()
    iou = iou_table(labels, found.to_label_map())
    assert (iou.max(1) > 0.85).all()


def identity():
    """A model that reads its maps from the channels of its image, of any range."""
    image = keras.Input([None, None, 9])
    outputs = {"logits": image[..., :1] - 127.5, "distances": image[..., 1:]}
    return keras.Model(image, outputs)


@pytest.mark.parametrize("border", ["edge", "mirror"])
def test_flips_find_what_a_symmetric_model_finds(border):
    """Round objects by a model that sees brightness only: all views agree."""
    image = keras.Input([None, None, 1])
    near = keras.layers.AveragePooling2D(3, 1, padding="same")(image)
    near = near[:, ::2, ::2]
    reach = keras.layers.Concatenate()([0 * near + 4] * 8)
    model = keras.Model(image, {"logits": near - 127.5, "distances": reach})
    dots = np.zeros([40, 51, 1], "float32")
    for y, x in ((8, 10), (20, 30), (32, 44)):
        cv2.circle(dots, (x, y), 2, 255, -1)
    plain = predict.stars(model, dots, border=border)
    found = predict.stars(model, dots, border=border, flips="all")
    assert len(found) == len(plain) == 3
    np.testing.assert_array_equal(found.to_label_map() > 0, plain.to_label_map() > 0)


def test_percentiles_of_the_image_become_black_and_white():
    # 0 and 100 percent are 300 and 900: 500 becomes 85, and 700 becomes 170.
    image = np.full([8, 8, 9], 300, "uint16")
    image[3:5, 3:5] = (700, *[500] * 8)
    image[0, 0] = 900
    found = predict.stars(identity(), image, percentiles=(0, 100), score_threshold=0.99)
    # Rays of 85 and 255 pixels cover all; the corner's is the best, and the only one.
    assert len(found) == 1 and found.masks.all()
    with pytest.raises(ValueError, match="value_range"):
        predict.stars(identity(), image)


def test_nothing_begins_at_a_mirrored_border():
    image = np.zeros([12, 12, 9], "float32")
    for y, x in ((1, 5), (6, 6), (9, 10)):
        image[y, x] = (255, *[1] * 8)
    model = identity()
    assert len(predict.stars(model, image)) == 3
    found = predict.stars(model, image, border="mirror")
    assert found.boxes.tolist() == [[5, 5, 8, 8]]


@pytest.mark.slow
def test_a_run_is_scored_as_objects(run):
    results = json.loads((run / "results.json").read_text())
    assert 0 <= results["mask_ap"] <= 1 and list(results["classes"]) == ["object"]
    assert (run / "samples.png").exists()


@pytest.mark.slow
def test_its_command_predicts_label_maps(run, tmp_path):
    photo = str(run.parent / "data/images/0.png")
    command = ["predict", photo, "--run", str(run), "--out", str(tmp_path)]
    assert main(command) == 0
    assert read_mask(tmp_path / "masks/0.png").shape == (64, 72)
    document = json.loads((tmp_path / "instances.json").read_text())
    assert document["categories"][0]["name"] == "object"


@pytest.mark.slow
def test_served_maps_are_the_model_s(run, tmp_path):
    assert main(["export", "--run", str(run), "--out", str(tmp_path)]) == 0
    served = tf.saved_model.load(str(tmp_path / "1")).signatures["serving_default"]
    image = np.full([1, 64, 96, 3], 90, "uint8")
    answers = served(images=tf.constant(image))
    assert answers["logits"].shape == (1, 32, 48, 1)
    assert answers["distances"].shape == (1, 32, 48, 8)
    about = json.loads(next(tmp_path.glob("1/**/kerasseg.json")).read_text())
    assert [one["name"] for one in about["classes"]] == ["object"]
    assert set(about["outputs"]) == {"logits", "distances"}


def test_several_classes_are_refused(tmp_path):
    text = RECIPE.replace("mask_folders", "shapes").replace("val_fraction = 0.5", "")
    (tmp_path / "recipe.toml").write_text(text)
    recipe = recipes.read(tmp_path / "recipe.toml")
    with pytest.raises(recipes.RecipeError, match=r"one class.*disc, square"):
        recipes.build_model(recipe, ("background", "disc", "square"))
