import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import layers
from kerasseg.layers.resize import resize_nearest


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


@pytest.mark.parametrize(("align", "expected"), [("center", 6), ("start", 0)])
def test_crop_keeps_the_middle_or_the_corner(align, expected):
    x = np.arange(25.0).reshape(1, 5, 5, 1)
    out = layers.CropLike(align)([x, np.zeros((1, 3, 2, 1))])
    assert out.shape == (1, 3, 2, 1)
    assert float(out[0, 0, 0, 0]) == expected


def test_wrong_options_are_refused():
    with pytest.raises(ValueError, match="Received: interpolation='cubic'"):
        layers.ResizeLike("cubic")
    with pytest.raises(ValueError, match="Received: align='end'"):
        layers.CropLike("end")


def test_the_nearest_pixels_of_other_backends_are_those_of_tensorflow():
    for source in (1, 2, 33, 96):
        x = tf.range(source, dtype=tf.float32)[None, :, None, None]
        for length in [*range(1, 100), 129, 224, 511]:
            expected = tf.image.resize(x, (length, 1), "nearest")
            np.testing.assert_array_equal(resize_nearest(x, length, 1), expected)
