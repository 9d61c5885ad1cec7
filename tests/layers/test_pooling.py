"""Pooling of maps smaller than the window, and the same as Keras' of all others."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import layers

KINDS = ["MaxPooling2D", "AveragePooling2D"]


@pytest.mark.parametrize("kind", KINDS)
def test_maps_as_large_as_the_window_are_pooled_as_by_keras(kind, rng):
    for size in [(2, 2), (5, 8), (7, 2)]:
        x = rng.normal(size=(2, *size, 3)).astype("float32")
        expected = getattr(keras.layers, kind)(2)(x)
        np.testing.assert_array_equal(getattr(layers, kind)(2)(x), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_a_single_row_gives_a_row(kind):
    x = np.float32([-1, -3, 2, 6, 9]).reshape(1, 1, 5, 1)  # the last is left over
    expected = [-1, 6] if kind == "MaxPooling2D" else [-2, 4]
    pool = getattr(layers, kind)(2)
    assert np.ravel(pool(x)).tolist() == expected
    assert np.ravel(pool(x[:, :, :1])).tolist() == [-1]
    assert pool.compute_output_spec(keras.KerasTensor(x.shape)).shape == (1, 1, 2, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_sizes_may_be_dynamic(kind):
    image = keras.Input((None, None, 1))
    model = keras.Model(image, getattr(layers, kind)(2, name="pool")(image))
    run = tf.function(model, input_signature=[tf.TensorSpec([None, None, None, 1])])
    for size, expected in [((1, 1), (1, 1)), ((3, 8), (1, 4)), ((1, 5), (1, 2))]:
        assert run(tf.ones([1, *size, 1])).shape == (1, *expected, 1)
    assert model.output.shape == (None, None, None, 1)


def test_small_maps_are_padded_and_others_stay_as_they_are():
    image = keras.Input((None, None, 1))
    model = keras.Model(image, layers.PadSmall(3, name="pad")(image))
    run = tf.function(model, input_signature=[tf.TensorSpec([None, None, None, 1])])
    for call in (layers.PadSmall(3), run):
        found = call(tf.ones([1, 1, 5, 1]))[0, :, :, 0]
        np.testing.assert_array_equal(found, [[1] * 5, [0] * 5, [0] * 5])
        assert call(tf.ones([2, 3, 4, 1])).shape == (2, 3, 4, 1)


def test_windows_that_overlap_are_left_to_keras(rng):
    x = rng.normal(size=(1, 6, 6, 2)).astype("float32")
    expected = keras.layers.MaxPooling2D(2, 1)(x)
    np.testing.assert_array_equal(layers.MaxPooling2D(2, 1)(x), expected)
