"""Checks of the options of augmentations."""

import numbers

import numpy as np


def check_number(name, value, high):
    """Raise ValueError unless `value` is a number in 0..high."""
    if not isinstance(value, numbers.Real) or not 0 <= value <= high:
        raise ValueError(
            f"`{name}` must be a number in 0..{high}. Received: {name}={value!r}."
        )


def checked_size(size):
    """Return `size` as two integers; ValueError unless both are positive."""
    is_pair = isinstance(size, (tuple, list)) and len(size) == 2
    if not is_pair or not all(isinstance(n, (int, np.integer)) and n > 0 for n in size):
        raise ValueError(
            "`size` must be (height, width), two positive integers. "
            f"Received: size={size!r}."
        )
    return tuple(int(n) for n in size)
