"""Batch normalisation at inference inside the convolution before it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import layers
from kerasseg.layers import folding
from tests.layers.test_normalization import randomize


@pytest.mark.parametrize(
    "before",
    [
        keras.layers.Conv2D(6, 3, strides=2, padding="valid", use_bias=False),
        keras.layers.Conv2D(6, 3, dilation_rate=2, padding="same", use_bias=False),
        keras.layers.DepthwiseConv2D(
            3, depth_multiplier=2, padding="same", use_bias=False
        ),
        keras.layers.Conv2D(6, 3, groups=3, use_bias=False),
        keras.layers.Conv2D(6, 1),  # the bias stands between
        keras.layers.Conv2DTranspose(6, 2, strides=2, use_bias=False),
        keras.layers.MaxPooling2D(),
    ],
    ids=lambda layer: layer.name,
)
@pytest.mark.parametrize("batch", [1, 2])
def test_normalisation_inside_a_convolution_equals_that_behind_it(
    monkeypatch, before, batch
):
    after = layers.BatchNormalization()
    image = keras.Input((9, 11, 3))
    model = keras.Model(image, after(before(image)))
    randomize(after)
    x = np.random.default_rng(3).normal(0, 1, (batch, 9, 11, 3)).astype("float32")
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    expected = model(x)
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    found = tf.function(model)(tf.constant(x))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_graph_gets_a_scaled_convolution_beside_the_plain_one(monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    image = keras.Input((9, 11, 3))
    x = keras.layers.Conv2D(6, 3, use_bias=False)(image)
    model = keras.Model(image, layers.BatchNormalization()(x))
    run = tf.function(model).get_concrete_function(tf.ones((2, 9, 11, 3)))
    kinds = [op.type for op in run.graph.get_operations()]
    assert kinds.count("Conv2D") == 2  # the unused one is dropped
    assert "FusedBatchNormV3" not in kinds


def test_a_large_kernel_is_left_as_it_is(monkeypatch):
    """Its features are fewer than its weights, and cheaper to scale."""
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    x = tf.random.stateless_normal((1, 5, 5, 256), (0, 1))
    kernel = tf.Variable(tf.random.stateless_normal((3, 3, 256, 128), (0, 2)) / 48)
    scale, offset = tf.linspace(0.5, 2.0, 128), tf.linspace(-1.0, 1.0, 128)

    @tf.function
    def run(x):
        return folding.scale_and_shift(
            tf.nn.conv2d(x, kernel, 1, "SAME"), scale, offset
        )

    graph = run.get_concrete_function(x).graph
    assert [op.type for op in graph.get_operations()].count("Conv2D") == 1
    expected = tf.nn.conv2d(x, kernel, 1, "SAME") * scale + offset
    np.testing.assert_allclose(run(x), expected, rtol=1e-4, atol=1e-5)
