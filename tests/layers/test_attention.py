"""Layers that gather from afar, against numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import layers
from kerasseg.layers.resize import _resize_corners


@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_adaptive_pooling_averages_overlapping_cells(rng, size):
    x = rng.normal(size=(2, 7, 4, 3)).astype("float32")
    expected = np.zeros((2, size, size, 3))
    for i in range(size):
        for j in range(size):
            rows = slice(i * 7 // size, -(-(i + 1) * 7 // size))
            columns = slice(j * 4 // size, -(-(j + 1) * 4 // size))
            expected[:, i, j] = x[:, rows, columns].mean((1, 2))
    found = layers.AdaptiveAveragePooling(size)(x)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_adaptive_pooling_traces_unknown_sizes():
    image = keras.Input((None, None, 2))
    model = keras.Model(image, layers.AdaptiveAveragePooling(3, name="pool")(image))
    traced = tf.function(model, input_signature=[tf.TensorSpec([None, None, None, 2])])
    assert traced(tf.zeros((1, 5, 9, 2))).shape == (1, 3, 3, 2)
    assert traced(tf.zeros((2, 2, 4, 2))).shape == (2, 3, 3, 2)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


@pytest.mark.parametrize("heads", [1, 2])
def test_attention_weighs_values_by_a_softmax_over_keys(rng, heads):
    query, key, value = (
        rng.normal(size=shape).astype("float32")
        for shape in [(1, 3, 2, 4), (1, 5, 4), (1, 5, 6)]
    )
    parts = []
    for q, k, v in zip(*(np.split(x, heads, -1) for x in (query, key, value))):
        scores = q.reshape(6, -1) @ k[0].T / np.sqrt(4 / heads)
        parts.append(softmax(scores) @ v[0])
    expected = np.concatenate(parts, -1).reshape(1, 3, 2, 6)
    found = layers.DotAttention(heads)([query, key, value])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_joint_attention_has_one_softmax_for_all_pairs(rng):
    query, value = (rng.normal(size=(1, 2, 2, c)).astype("float32") for c in (3, 5))
    scores = query.reshape(4, 3) @ query.reshape(4, 3).T
    weights = softmax(scores.reshape(1, -1)).reshape(4, 4)
    expected = (weights @ value.reshape(4, 5)).reshape(1, 2, 2, 5)
    layer = layers.DotAttention(scale=1.0, joint=True)
    np.testing.assert_allclose(
        layer([query, query, value]), expected, rtol=1e-4, atol=1e-5
    )


def test_unpooling_puts_values_back_to_the_first_maximum():
    source = np.array([[1, 9, 0], [2, 3, 0], [4, 4, 7]], "float32")
    x = np.array([[10, 20], [30, 40]], "float32")
    expected = [[0, 10, 20], [0, 0, 0], [30, 0, 40]]
    found = layers.Unpool()([x[None, :, :, None], source[None, :, :, None]])
    np.testing.assert_array_equal(found[0, :, :, 0], expected)


@pytest.mark.parametrize("size", [(5, 7), (3, 4), (1, 2)])
def test_aligned_corners_keep_the_corner_pixels(rng, size):
    x = rng.normal(size=(1, 3, 4, 2)).astype("float32")
    at = [np.linspace(0, n - 1, m) for n, m in zip((3, 4), size)]
    rows = np.stack([np.interp(at[0], range(3), c) for c in x[0].reshape(3, 8).T])
    rows = rows.T.reshape(size[0], 4, 2)
    expected = np.stack(
        [[np.interp(at[1], range(4), c) for c in row.T] for row in rows]
    ).transpose(0, 2, 1)
    like = np.zeros((1, *size, 1), "float32")
    found = layers.ResizeLike(align_corners=True)([x, like])
    np.testing.assert_allclose(found[0], expected, rtol=1e-5, atol=1e-6)
    x = keras.ops.convert_to_tensor(x)  # other backends than TensorFlow's
    other = _resize_corners(_resize_corners(x, size[0], 1), size[1], 2)
    np.testing.assert_allclose(other[0], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "layer",
    [
        layers.AdaptiveAveragePooling(3),
        layers.DotAttention(2, 0.5, joint=True),
        layers.ResizeLike("nearest", align_corners=True),
    ],
)
def test_options_survive_serialisation(layer):
    config = keras.saving.serialize_keras_object(layer)
    again = keras.saving.deserialize_keras_object(config)
    assert again.get_config() == layer.get_config()
