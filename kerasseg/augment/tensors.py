"""Seeds and dtypes of augmentations."""

import tensorflow as tf


def fold_in(seed, number):
    """Make another seed from a seed and a number.

    Args:
        seed: int32 [2].
        number: int32 scalar.

    Returns:
        int32 [2], the same on every device.
    """
    # The default of `alg` chooses another algorithm on TPUs, with other numbers.
    return tf.random.experimental.stateless_fold_in(seed, number, alg="philox")


def as_dtype(x, dtype):
    """Turn float32 into `dtype`; integers are rounded and clipped to their range."""
    if dtype.is_floating:
        return tf.cast(x, dtype)
    return tf.cast(tf.round(tf.clip_by_value(x, 0.0, dtype.max)), dtype)
