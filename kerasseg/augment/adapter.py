"""Augmentation by NumPy functions."""

import threading

import numpy as np
import tensorflow as tf

from kerasseg.augment.checks import checked_size


def from_numpy(function, *, size):
    """Augmentation by a function of NumPy arrays, for example from albumentations.

    It is never called from two threads at once: such objects keep a random state.

    Args:
        function: called as function(image, label, rng) with image [H, W, C], label
            int32 [H, W] and a numpy.random.Generator made from the seed, which must be
            the only source of randomness. Returns (image, label), the image in the
            dtype that it got.
        size: (height, width) that `function` returns.

    Returns:
        Function (sample, seed) -> sample. It raises when `function` returns another
        shape or dtype.

    Raises:
        ValueError: if `size` is not two positive integers.

    Example:
        >>> def crop(image, label, rng):
        ...     y, x = rng.integers(0, 16, 2)
        ...     return image[y : y + 32, x : x + 32], label[y : y + 32, x : x + 32]
        >>> function = from_numpy(crop, size=(32, 32))
    """
    size = checked_size(size)
    lock = threading.Lock()

    def call(image, label, seed):
        # Half of the seeds are negative as int32, and NumPy refuses negative ones.
        rng = np.random.default_rng(seed.view(np.uint32))
        with lock:
            result = function(image, label, rng)
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise ValueError(
                "The function of `from_numpy` must return (image, label). "
                f"Received: {type(result).__name__}, not 2 results."
            )
        _check("image", result[0], (*size, image.shape[-1]), image.dtype)
        _check("label", result[1], size, np.integer)
        return result[0], result[1].astype(np.int32)

    def transform(sample, seed):
        image = tf.convert_to_tensor(sample["image"])
        inputs = [image, tf.cast(sample["label"], tf.int32), tf.cast(seed, tf.int32)]
        moved, label = tf.numpy_function(call, inputs, [image.dtype, tf.int32])
        moved.set_shape([*size, image.shape[-1]])
        label.set_shape(size)
        return {**sample, "image": moved, "label": label}

    return transform


def _check(name, array, shape, dtype):
    if array.shape != shape or not np.issubdtype(array.dtype, dtype):
        kind = "integers" if dtype is np.integer else dtype
        raise ValueError(
            f"The function of `from_numpy` must return the {name} as {kind} {shape}. "
            f"Received: {array.dtype} {array.shape}."
        )
