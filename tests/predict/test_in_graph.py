"""Exported instance models: served answers equal those of prediction."""

import json
import os
import subprocess
import sys

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import export, predict, zoo

pytestmark = pytest.mark.slow  # the export and a fresh process take 12 s

SIZES = [(64, 64), (97, 45), (30, 41), (120, 200)]
# Runs where kerasseg cannot be imported: a server knows TensorFlow only.
SERVE = """
import sys
sys.modules["kerasseg"] = None
import numpy as np
import tensorflow as tf
images = dict(np.load("images.npz"))
served = tf.saved_model.load("model/1")
twin = tf.saved_model.load("model_float/1")
exact = images.pop("64x64")
calls = {
    "bytes": (served, "serving_default", {"images": exact[None]}),
    "float": (served, "float", {"images": exact[None].astype("float32")}),
    "twin": (twin, "serving_default", {"images": exact[None].astype("float32")}),
}
last = {"images": list(images.values())[-1][None]}
calls["sized"] = (served, "serving_default", last)
files = [tf.io.encode_png(image).numpy() for image in [exact, *images.values()]]
calls["encoded"] = (served, "encoded", {"image_bytes": tf.constant(files)})
answers = {}
for name, (model, signature, inputs) in calls.items():
    inputs = {key: tf.constant(value) for key, value in inputs.items()}
    for key, value in model.signatures[signature](**inputs).items():
        answers[f"{name}/{key}"] = value.numpy()
np.savez("answers.npz", **answers)
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """(model, images, answers of a fresh process, folder)."""
    keras.utils.set_random_seed(3)
    options = {"filters": 16, "head_filters": 16, "shape_size": 8, "num_detections": 12}
    model = zoo.center_mask(2, "tiny", image_size=(64, 64), **options)
    head = model.get_layer("head")
    for name, bias in (("sizes", 5.0), ("shapes", 3.0), ("saliency", 3.0)):
        layer = head.get_layer(f"{name}_conv")  # boxes and masks with some pixels
        layer.bias.assign(keras.ops.full(layer.bias.shape, bias))
    kernel = head.get_layer("heatmap_conv").kernel
    kernel.assign(30 * kernel)  # scores far apart: rounding must not change their order
    folder = tmp_path_factory.mktemp("export")
    export.saved_model(model, folder / "model", class_names=["disc", "square"])
    rng = np.random.default_rng(2)
    images = {}
    for height, width in SIZES:
        coarse = rng.integers(0, 256, [5, 5, 3], "uint8")
        images[f"{height}x{width}"] = cv2.resize(coarse, (width, height))
    np.savez(folder / "images.npz", **images)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    command = [sys.executable, "-c", SERVE]
    options = {"cwd": folder, "env": environment, "capture_output": True, "text": True}
    child = subprocess.run(command, **options)
    assert child.returncode == 0, child.stderr
    return model, images, np.load(folder / "answers.npz"), folder


@pytest.mark.parametrize("name", ["bytes", "float", "twin"])
def test_served_answers_equal_the_model(exported, name):
    model, images, answers, _ = exported
    expected = model(images["64x64"][None].astype("float32"), training=False)
    assert int(expected["num"][0]) > 3
    for key, value in expected.items():
        np.testing.assert_allclose(answers[f"{name}/{key}"], value, atol=1e-4)


def test_encoded_files_of_any_size_equal_prediction(exported):
    model, images, answers, _ = exported
    assert answers["encoded/sizes"].tolist() == [list(size) for size in SIZES]
    for index, image in enumerate(images.values()):
        options = {"score_threshold": 0.0, "fit": "resize"}
        found = predict.instances(model, image, **options)
        num = answers["encoded/num"][index]
        masks = answers["encoded/masks"][index, :num]
        size = image.shape[1::-1]
        masks = [cv2.resize(mask, size) > 0.5 for mask in masks]
        shown = [i for i, mask in enumerate(masks) if mask.any()]
        assert len(found) == len(shown) > 0
        for key in ("scores", "classes"):
            served = answers[f"encoded/{key}"][index][shown]
            np.testing.assert_allclose(served, getattr(found, key), atol=1e-4)
        boxes = answers["encoded/boxes"][index][shown]
        limits = np.tile(size, 2)
        np.testing.assert_allclose(np.clip(boxes, 0, limits), found.boxes, atol=0.02)
        differ = np.mean([masks[i] != m for i, m in zip(shown, found.masks)])
        assert differ < 1e-3


def test_images_of_any_size_are_answered_as_their_files_are(exported):
    answers = exported[2]
    for key in ("boxes", "classes", "scores", "masks", "num"):
        sized, encoded = answers[f"sized/{key}"][0], answers[f"encoded/{key}"][-1]
        np.testing.assert_allclose(sized, encoded, atol=0.02)


def test_an_encoded_file_that_is_none_is_a_clear_error(exported):
    served = tf.saved_model.load(str(exported[3] / "model/1")).signatures["encoded"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="is neither"):
        served(image_bytes=tf.constant([b"GIF89a"]))


def test_the_description_names_classes_without_background_and_outputs(exported):
    about = json.loads((exported[3] / "model/1/kerasseg.json").read_text("utf-8"))
    assert [one["name"] for one in about["classes"]] == ["disc", "square"]
    assert set(about["signatures"]) == {"serving_default", "float", "encoded"}
    assert {"boxes", "classes", "scores", "masks", "num"} <= set(about["outputs"])
    assert [about["input"][side] for side in ("height", "width")] == [64, 64]


def test_class_names_must_be_given(exported, tmp_path):
    with pytest.raises(ValueError, match="`class_names` must be given"):
        export.saved_model(exported[0], tmp_path / "m")
