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


@pytest.mark.parametrize("padding", ["symmetric", "same", "valid"])
def test_paddings_differ_where_strides_meet_even_sides(rng, padding):
    x = rng.normal(size=(1, 8, 8, 2)).astype("float32")
    image = keras.Input((8, 8, 2))
    model = keras.Model(
        image,
        blocks.conv(image, 1, strides=2, padding=padding, use_bias=False, name="conv"),
    )
    # Zeros before and behind: 1 and 1 in PyTorch, 0 and 1 in TensorFlow.
    margins = {"symmetric": (1, 1), "same": (0, 1), "valid": (0, 0)}[padding]
    padded = np.pad(x[0], (margins, margins, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (0, 1))
    kernel = np.asarray(model.get_layer("conv").kernel)[..., 0]
    expected = np.einsum("hwckl,klc->hw", windows[::2, ::2], kernel)
    np.testing.assert_allclose(model(x)[0, ..., 0], expected, rtol=1e-4, atol=1e-5)


def test_the_bias_yields_to_a_normalisation():
    image = keras.Input((8, 8, 2))
    for norm, parts in (
        ("batch", ["kernel", "gamma", "beta", "moving_mean", "moving_variance"]),
        ("group", ["kernel", "gamma", "beta"]),
        (None, ["kernel", "bias"]),
    ):
        x = blocks.conv_norm_act(image, 3, norm=norm, name="step")
        assert [v.name for v in keras.Model(image, x).weights] == parts


def test_batch_normalisation_takes_the_epsilon_of_published_weights():
    image = keras.Input((8, 8, 2))
    x = blocks.normalize(image, blocks.BatchNorm(epsilon=1e-3), name="norm")
    assert keras.Model(image, x).get_layer("norm").epsilon == 1e-3


def test_an_unknown_normalisation_is_refused():
    with pytest.raises(ValueError, match="Received: norm='instance'"):
        blocks.normalize(keras.Input((8, 8, 2)), "instance", name="norm")
