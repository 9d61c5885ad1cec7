"""Random changes of brightness and colour."""

import math

import numpy as np
import tensorflow as tf

from kerasseg.augment.checks import check_number
from kerasseg.augment.tensors import as_dtype, fold_in

# Rows: luma (ITU-R BT.601) and the two colour differences of NTSC.
TO_YIQ = np.float32(
    [[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]]
)
FROM_YIQ = np.linalg.inv(TO_YIQ)


def color(
    *, brightness=0.0, contrast=0.0, saturation=0.0, hue=0.0, gamma=0.0, noise=0.0
):
    """Random brightness, contrast, colour, gamma and noise; labels are unchanged.

    Every option is relative to the image itself, so that the same numbers serve
    8-bit, 16-bit and float32 images. 8- and 16-bit results are clipped to their range.
    Images that do not have three channels keep their saturation and hue.

    Args:
        brightness: all values are multiplied by 1 - brightness .. 1 + brightness.
        contrast: likewise for the distance of each value from the mean of its channel.
        saturation: likewise for the distance of each value from grey.
        hue: largest rotation of the colour circle either way, as a fraction of it, up
            to 0.5. A rotation in YIQ, which is linear and keeps the luma, not in HSV.
        gamma: exponent of values relative to the largest one of the image, from
            1 / (1 + gamma) to 1 + gamma, log-uniform. Values below 0 keep their sign.
            Slow: 50 ns per value.
        noise: Gaussian noise with a standard deviation of up to this fraction of the
            image's own. Slow: 20 ns per value.

    Returns:
        Function (sample, seed) -> sample.

    Raises:
        ValueError: if an option is out of its range.
    """
    check_number("brightness", brightness, 1)
    check_number("contrast", contrast, 1)
    check_number("saturation", saturation, 1)
    check_number("hue", hue, 0.5)
    check_number("gamma", gamma, 1e3)
    check_number("noise", noise, 1e3)

    def transform(sample, seed):
        image = tf.convert_to_tensor(sample["image"])
        x = tf.cast(image, tf.float32)
        uniform = tf.random.stateless_uniform([6], seed, -1.0, 1.0, alg="philox")
        bright, spread, chroma, hue_shift, power, level = tf.unstack(uniform)
        bright = 1 + brightness * bright
        # Not 0, by which the mean of a channel is divided below.
        spread = tf.maximum(1 + contrast * spread, 1e-3)
        if (saturation or hue) and x.shape[-1] == 3:
            matrix = _color_matrix(
                1 + saturation * chroma, 2 * math.pi * hue * hue_shift
            )
            x = _mix_channels(x, bright * spread * matrix)
        elif brightness or contrast:
            x *= bright * spread
        if contrast:
            # The mean is bright * spread * m here and must become bright * m.
            x = _add_to_channels(x, (1 / spread - 1) * _channel_means(x))
        if gamma:
            # Relative to the largest value: images of any range stay within it.
            size = tf.abs(x)
            top = tf.maximum(tf.reduce_max(size), 1e-6)
            x = top * tf.sign(x) * (size / top) ** ((1.0 + gamma) ** power)
        if noise:
            std = noise * tf.abs(level) * tf.math.reduce_std(x)
            x += std * tf.random.stateless_normal(
                tf.shape(x), fold_in(seed, 1), alg="philox"
            )
        return {**sample, "image": as_dtype(x, image.dtype)}

    return transform


# TensorFlow 2.21 broadcasts slowly over a last axis of three: rows of W * C values take
# half the time.


def _channel_means(x):
    means = tf.reduce_mean(tf.reshape(x, [tf.shape(x)[0], -1]), axis=0)
    return tf.reduce_mean(tf.reshape(means, tf.shape(x)[1:]), axis=0)


def _add_to_channels(x, values):
    rows = tf.reshape(x, [tf.shape(x)[0], -1])
    return tf.reshape(rows + tf.tile(values, tf.shape(x)[1:2]), tf.shape(x))


def _mix_channels(x, matrix):
    pixels = tf.matmul(tf.reshape(x, [-1, 3]), matrix, transpose_b=True)
    return tf.reshape(pixels, tf.shape(x))


def _color_matrix(saturation, angle):
    """[3, 3] that rotates the colour circle and scales the distance from grey."""
    cos, sin = saturation * tf.cos(angle), saturation * tf.sin(angle)
    one, zero = tf.ones([]), tf.zeros([])
    rotation = tf.stack([[one, zero, zero], [zero, cos, -sin], [zero, sin, cos]])
    # One matrix for saturation and hue, instead of to HSV and back.
    return FROM_YIQ @ rotation @ TO_YIQ
