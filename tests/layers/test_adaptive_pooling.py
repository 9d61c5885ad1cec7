"""Averages over cells that overlap, against numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import layers


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
