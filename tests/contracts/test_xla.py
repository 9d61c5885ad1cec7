"""Under XLA, which Keras turns on where there is a GPU, models train as without it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import zoo
from tests.contracts import cases, discs, objects

SIZE = (33, 50)  # at each halving a row or a column is left over, or none
MAPS = zoo.names("stars") + zoo.names("panoptic")
pytestmark = pytest.mark.slow  # compilations by XLA take long


@pytest.fixture
def float64():
    """Batch statistics of few values magnify rounding: 1e-2 of float32's gradients."""
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_dtype_policy("float32")


def without_dropout(model):
    """Random numbers are others under XLA."""
    for layer in model._flatten_layers():
        if hasattr(layer, "rate") and hasattr(layer, "seed_generator"):
            layer.rate = 0.0
    return model


def batch():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, *SIZE, 3)).astype("float32")
    images[1] *= 0.3  # normalising averages of images alike would magnify rounding
    return tf.constant(images), tf.constant(rng.integers(0, 3, (2, *SIZE)))


def cross_entropy(model, images, labels):
    losses = keras.losses.sparse_categorical_crossentropy
    outputs = keras.tree.flatten(model(images, training=True))
    return tf.add_n([tf.reduce_mean(losses(labels, x, True)) for x in outputs])


def assert_xla_gives_the_same(model, value, tolerance):
    """`value` of the model, a scalar tensor, and its gradient with XLA and without."""
    weights = [weight.value for weight in model.trainable_variables]
    before = model.get_weights()

    def step():
        with tf.GradientTape() as tape:
            total = value()
        return total, tape.gradient(total, weights)

    expected, right = tf.function(step)()
    model.set_weights(before)  # statistics of batches have moved
    found, gradients = tf.function(step, jit_compile=True)()
    np.testing.assert_allclose(found, expected, rtol=min(tolerance / 10, 1e-3))
    scale = max(np.abs(x).max() for x in right if x is not None)
    for weight, x, y in zip(weights, gradients, right):
        assert (x is None) == (y is None), weight.name
        if x is not None:
            np.testing.assert_allclose(
                x, y, atol=tolerance * scale, err_msg=weight.name
            )


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(("name", "encoder"), cases.CASES)
def test_semantic_models_train_under_xla(name, encoder):
    model = without_dropout(cases.build(name, encoder))
    images, labels = batch()
    assert_xla_gives_the_same(model, lambda: cross_entropy(model, images, labels), 1e-5)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("name", MAPS)
def test_models_of_maps_train_under_xla(name):
    model = without_dropout(discs.build(name))
    images, labels, classes = discs.scenes()
    truth = discs.truth_of(name, labels, classes)
    assert_xla_gives_the_same(
        model,
        lambda: tf.add_n(list(discs.losses(model, images, truth).values())),
        tolerance=1e-5,
    )


@pytest.mark.parametrize("name", zoo.names("instance"))
def test_instance_models_train_under_xla(name):
    model = without_dropout(objects.build(name))
    images, truth = objects.scene()
    # In float32: XLA cannot join the two kinds of numbers of their gradients. Random
    # numbers are others under XLA, and so are the boxes that it samples.
    tolerance = 0.2 if name == "mask_rcnn" else 1e-2
    assert_xla_gives_the_same(
        model,
        lambda: tf.add_n(list(objects.losses(model, images, truth).values())),
        tolerance,
    )
