"""Convolutions with their normalisation and activation."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import blocks


@pytest.mark.parametrize("padding", ["symmetric", "same", "valid"])
@pytest.mark.parametrize("channels", [3, 8, 16])
def test_a_strided_1x1_convolution_reads_every_other_pixel(rng, channels, padding):
    # Few channels and even sides once crashed TensorFlow in the gradient.
    image = keras.Input((16, 20, channels))
    y = blocks.conv(image, 5, 1, strides=2, padding=padding, name="shortcut")
    model = keras.Model(image, y)
    assert [v.path for v in model.weights] == ["shortcut/kernel", "shortcut/bias"]
    strided = model.get_layer("shortcut").strides == (2, 2)
    assert strided == (channels == 16)
    x = tf.constant(rng.normal(size=(2, 16, 20, channels)), "float32")
    kernel = model.get_layer("shortcut").kernel
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = model(x)
        gradients = tape.gradient(tf.reduce_sum(y * y), [x, kernel.value])
    taken, matrix = np.asarray(x)[:, ::2, ::2], np.asarray(kernel)[0, 0]
    np.testing.assert_allclose(y, taken @ matrix, rtol=1e-4, atol=1e-5)
    back = np.zeros(x.shape)
    back[:, ::2, ::2] = 2 * taken @ matrix @ matrix.T
    np.testing.assert_allclose(gradients[0], back, rtol=1e-4, atol=1e-4)
    expected = 2 * np.einsum("nhwi,nhwj,jo->io", taken, taken, matrix)
    np.testing.assert_allclose(gradients[1][0, 0], expected, rtol=1e-3, atol=1e-3)
