"""Promises of models whose maps are grouped into objects."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import zoo
from tests.contracts.discs import (
    NUM_CLASSES,
    NUM_RAYS,
    build,
    losses,
    scenes,
    truth_of,
)


@pytest.fixture(scope="module", params=zoo.names("stars") + zoo.names("panoptic"))
def model(request):
    return build(request.param)


def test_outputs_are_named_maps_in_float32_at_any_size(model):
    sizes = {"logits": 1, "distances": NUM_RAYS}
    if model.name == "panoptic_deeplab":
        sizes = {"logits": NUM_CLASSES, "centers": 1, "offsets": 2}
    for shape in ((1, 65, 97, 3), (2, 64, 32, 3)):
        found = model(np.zeros(shape, "float32"))
        assert list(found) == list(sizes)
        for name, values in found.items():
            assert values.shape == (*shape[:3], sizes[name])
            assert values.dtype == "float32"


def test_images_of_any_size_from_one_pixel_on_give_maps(model):
    traced = tf.function(model, input_signature=[tf.TensorSpec(model.input.shape)])
    for size in [(1, 1), (3, 200), (15, 15)]:
        image = np.random.default_rng(0).integers(0, 256, (1, *size, 3))
        image = image.astype("float32")
        expected, found = model(image), traced(image)
        for name, values in expected.items():
            assert values.shape[:3] == (1, *size)
            scale = np.abs(values).max()
            assert np.isfinite(scale)
            np.testing.assert_allclose(found[name], values, atol=1e-4 * scale)


def test_a_saved_model_says_the_same(model, tmp_path):
    images = scenes()[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for name, values in loaded(images).items():
        np.testing.assert_allclose(values, model(images)[name], atol=1e-4)


def test_the_loss_reaches_every_weight(model):
    images, labels, classes = scenes()
    with tf.GradientTape() as tape:
        terms = losses(model, images, truth_of(model.name, labels, classes))
        total = tf.add_n(list(terms.values()))
    weights = model.trainable_variables
    for weight, gradient in zip(
        weights, tape.gradient(total, [w.value for w in weights])
    ):
        assert gradient is not None, weight.path
        assert np.isfinite(gradient).all() and np.any(gradient), weight.path


def test_pictures_without_objects_give_finite_losses(model):
    images, labels, classes = scenes()
    truth = truth_of(model.name, 0 * labels, 0 * classes)
    terms = losses(model, images, truth)
    assert all(np.isfinite(value) for value in terms.values())


def test_half_precision_keeps_outputs_in_float32(model):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        half = build(model.name)
        found = half(scenes()[0])
    finally:
        keras.config.set_dtype_policy("float32")
    assert all(x.dtype == "float32" and np.isfinite(x).all() for x in found.values())
