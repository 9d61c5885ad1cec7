"""Resizing to the size of another tensor, against numpy and TensorFlow."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import layers
from kerasseg.layers.resize import _resize_corners, resize_nearest


def test_bilinear_resize_places_pixel_centres_at_one_half():
    x = np.array([0.0, 4.0], "float32").reshape(1, 1, 2, 1)
    out = layers.ResizeLike()([x, np.zeros((1, 1, 4, 7))])
    # Centres of 4 pixels in units of the old ones: 0.25, 0.75, 1.25, 1.75; minus 0.5.
    np.testing.assert_allclose(np.ravel(out), [0, 1, 3, 4])


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
def test_sizes_may_be_dynamic(interpolation):
    x, like = keras.Input((None, None, 2)), keras.Input((None, None, 5))
    model = keras.Model(
        [x, like], layers.ResizeLike(interpolation, name="up")([x, like])
    )
    resize = tf.function(
        model, input_signature=[[tf.TensorSpec([None] * 3 + [c]) for c in (2, 5)]]
    )
    for size in [(6, 5), (3, 11)]:
        out = resize([tf.zeros((1, 3, 4, 2)), tf.zeros((1, *size, 5))])
        assert out.shape == (1, *size, 2)


def test_resizing_to_a_size_equals_resizing_like_it():
    model = keras.Sequential([keras.Input((None, None, 2)), layers.ResizeTo(4, 6)])
    assert model.output_shape == (None, 4, 6, 2)
    resize = tf.function(model, input_signature=[tf.TensorSpec([None, None, None, 2])])
    for size in [(3, 11), (4, 6), (1, 1)]:
        x = np.random.default_rng(0).normal(size=(2, *size, 2)).astype("float32")
        expected = layers.ResizeLike()([x, np.zeros((1, 4, 6, 1))])
        np.testing.assert_array_equal(resize(x), expected)


def test_wrong_options_are_refused():
    with pytest.raises(ValueError, match="Received: interpolation='cubic'"):
        layers.ResizeLike("cubic")


def test_the_nearest_pixels_of_other_backends_are_those_of_tensorflow():
    for source in (1, 2, 33, 96):
        x = tf.range(source, dtype=tf.float32)[None, :, None, None]
        for length in [*range(1, 100), 129, 224, 511]:
            expected = tf.image.resize(x, (length, 1), "nearest")
            np.testing.assert_array_equal(resize_nearest(x, length, 1), expected)


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
