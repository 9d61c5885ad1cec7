"""Checks of the options of augmentations."""

import numbers


def check_number(name, value, high, *, whole=False):
    """Raise ValueError unless `value` is a number in 0..high, a whole one if asked."""
    kind = numbers.Integral if whole else numbers.Real
    # True is a number in Python.
    fits = isinstance(value, kind) and not isinstance(value, bool)
    if not fits or not 0 <= value <= high:
        wanted = "a whole number" if whole else "a number"
        raise ValueError(
            f"`{name}` must be {wanted} in 0..{high}. Received: {name}={value!r}."
        )


def checked_size(size):
    """Return `size` as two integers; ValueError unless both are positive."""
    is_pair = isinstance(size, (tuple, list)) and len(size) == 2
    whole = all(isinstance(n, numbers.Integral) for n in size) if is_pair else False
    if not whole or any(isinstance(n, bool) or n < 1 for n in size):
        raise ValueError(
            "`size` must be (height, width), two positive integers. "
            f"Received: size={size!r}."
        )
    return tuple(int(n) for n in size)
