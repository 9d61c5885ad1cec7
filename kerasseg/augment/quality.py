"""Random losses of quality: blur, compression, missing colour, hidden parts."""

import math

import tensorflow as tf

from kerasseg.augment.checks import check_number
from kerasseg.augment.geometry import IGNORE_LABEL
from kerasseg.augment.tensors import as_dtype, fold_in


def quality(*, blur=0.0, sharpen=0.0, jpeg=0, grey=0.0, cutout=0.0):
    """Random blur, sharpening, JPEG compression, greys and a hidden rectangle.

    What a camera, a codec and things in front of it do. Options that are 0 do nothing
    and cost nothing.

    Args:
        blur: largest standard deviation of a Gaussian, px; from 0 on, uniform. Up to
            10.
        sharpen: largest factor of what a blur of 1 px takes away, which is added.
        jpeg: lowest quality of JPEG, a whole number in 1..100, the highest is 100; of
            uint8 images of one or three channels, others stay as they are.
        grey: share of the images that lose their colour, 0..1; of three channels.
        cutout: longest side of a rectangle, as a part of the image's, 0..1, that gets
            the image's mean colour. What it hides is ignored in `label`; `instances`
            and `masks` stay, since an object half hidden is still one.

    Returns:
        Function (sample, seed) -> sample.

    Raises:
        ValueError: if an option is out of its range.
    """
    check_number("blur", blur, 10)
    check_number("sharpen", sharpen, 10)
    check_number("jpeg", jpeg, 100, whole=True)
    check_number("grey", grey, 1)
    check_number("cutout", cutout, 1)

    def transform(sample, seed):
        image, sample = tf.convert_to_tensor(sample["image"]), dict(sample)
        uniform = tf.random.stateless_uniform([4], seed, alg="philox")
        width, amount, loss, colour = tf.unstack(uniform)
        x = tf.cast(image, tf.float32)
        if grey and x.shape[-1] == 3:
            # ITU-R BT.601, as OpenCV and JPEG weigh the channels.
            luma = tf.reduce_sum(x * [0.299, 0.587, 0.114], axis=-1, keepdims=True)
            x = tf.where(colour < grey, tf.repeat(luma, 3, axis=-1), x)
        if blur:
            # Three standard deviations of the widest blur: a graph needs one size of
            # kernel.
            x = _blur(x, blur * width, math.ceil(3 * blur))
        if sharpen:
            x += sharpen * amount * (x - _blur(x, 1.0, 3))
        if cutout:
            hidden = _rectangle(tf.shape(x)[:2], cutout, fold_in(seed, 1))
            mean = tf.reduce_mean(x, axis=(0, 1), keepdims=True)
            # Cutout's authors fill in zeros after normalisation, which is the mean.
            x = tf.where(hidden[..., None], mean, x)
            if "label" in sample:
                label = tf.convert_to_tensor(sample["label"])
                ignored = tf.cast(IGNORE_LABEL, label.dtype)
                sample["label"] = tf.where(hidden, ignored, label)
        x = as_dtype(x, image.dtype)
        # Other images were never stored as JPEG; TensorFlow's codec takes 8 bits only.
        if jpeg and image.dtype == tf.uint8 and image.shape[-1] in (1, 3):
            level = tf.cast(tf.round(jpeg + (100 - jpeg) * loss), tf.int32)
            x = tf.image.adjust_jpeg_quality(x, level)
            x = tf.ensure_shape(x, image.shape)
        return {**sample, "image": x}

    return transform


def _blur(x, std, radius):
    """Gaussian blur of [H, W, C]; the border pixels go on beyond the border."""
    steps = tf.range(-radius, radius + 1, dtype=tf.float32)
    # 1e-3: a blur of nothing is the identity, not a division by zero.
    kernel = tf.exp(-0.5 * tf.square(steps / tf.maximum(std, 1e-3)))
    kernel /= tf.reduce_sum(kernel)
    channels = x.shape[-1]
    # Not tf.pad: up to TensorFlow 2.21 it has no mode that repeats the border, and its
    # mirroring reaches no further than the image.
    for axis in (0, 1):
        length = tf.shape(x)[axis]
        places = tf.clip_by_value(tf.range(-radius, length + radius), 0, length - 1)
        x = tf.gather(x, places, axis=axis)
    x = x[None]
    for shape in ([-1, 1, 1, 1], [1, -1, 1, 1]):
        one = tf.tile(tf.reshape(kernel, shape), [1, 1, channels, 1])
        x = tf.nn.depthwise_conv2d(x, one, [1, 1, 1, 1], "VALID")
    return x[0]


def _rectangle(shape, longest, seed):
    """Mask [H, W] of a random rectangle inside of the image."""
    uniform = tf.random.stateless_uniform([2, 2], seed, alg="philox")
    length = tf.cast(shape, tf.float32)
    sides = tf.round(uniform[0] * longest * length)
    start = tf.round(uniform[1] * (length - sides))
    rows, columns = (_between(shape[axis], start[axis], sides[axis]) for axis in (0, 1))
    return rows[:, None] & columns[None]


def _between(length, start, size):
    position = tf.cast(tf.range(length), tf.float32)
    return (position >= start) & (position < start + size)
