"""Normalisation of images and of features, against Keras."""

import keras
import numpy as np
import pytest

from kerasseg import layers


def randomize(layer, shape=None):
    """Random weights; the variance is positive."""
    rng = np.random.default_rng(0)
    if shape is not None:
        layer.build(shape)
    layer.set_weights([rng.uniform(0.5, 2, w.shape) for w in layer.weights])


@pytest.fixture(scope="module")
def pair():
    """Our layer and that of Keras with the same random weights."""
    rng = np.random.default_rng(0)
    built = []
    for kind in (layers.BatchNormalization, keras.layers.BatchNormalization):
        layer = kind(momentum=0.9, epsilon=1e-3)
        layer.build((None, None, None, 5))
        built.append(layer)
    weights = [rng.uniform(0.5, 2, 5) for _ in range(4)]
    for layer in built:
        layer.set_weights(weights)
    return built


@pytest.mark.parametrize("training", [True, False])
def test_fused_batch_norm_equals_that_of_keras(pair, training):
    x = np.random.default_rng(1).normal(3, 2, (4, 7, 9, 5)).astype("float32")
    ours, theirs = (layer(x, training=training) for layer in pair)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)
    for our, their in zip(pair[0].weights, pair[1].weights):
        np.testing.assert_allclose(our, their, rtol=2e-6)


@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False}])
def test_normalisation_beside_onednn_equals_the_fused_kernel(monkeypatch, options):
    layer = layers.BatchNormalization(**options)
    randomize(layer, (None, None, None, 5))
    x = np.random.default_rng(2).normal(3, 2, (1, 7, 9, 5)).astype("float32")
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    fused = layer(x)
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    np.testing.assert_allclose(layer(x), fused, rtol=1e-5, atol=1e-6)
    assert not np.array_equal(layer(x), fused)  # another computation


def test_a_batch_of_one_pixel_stays_finite():
    layer = layers.BatchNormalization()
    out = layer(np.ones((1, 1, 1, 3), "float32"), training=True)
    assert np.all(np.isfinite(out))
    assert np.all(np.isfinite(layer.moving_variance))


def test_a_frozen_layer_keeps_its_statistics():
    layer = layers.BatchNormalization()
    layer.build((None, None, None, 3))
    layer.trainable = False
    layer(np.full((2, 4, 4, 3), 7, "float32"), training=True)
    np.testing.assert_array_equal(layer.moving_mean, np.zeros(3))


def test_normalize_computes_in_float32_under_mixed_precision():
    layer = layers.Normalize((100.0, 0.0), (3.0, 255.0), dtype="mixed_bfloat16")
    out = layer(np.array([[[[101, 255]]]], "uint8"))
    assert out.dtype == "bfloat16"
    out = keras.ops.convert_to_numpy(keras.ops.cast(out, "float32"))
    np.testing.assert_allclose(out[0, 0, 0], [1 / 3, 1], rtol=4e-3)


def test_normalize_averages_its_numbers_for_other_channel_counts():
    out = layers.Normalize((1.0, 2.0, 3.0), (1.0, 1.0, 1.0))(np.full((1, 1, 1, 4), 5.0))
    np.testing.assert_allclose(out, np.full((1, 1, 1, 4), 3.0))
