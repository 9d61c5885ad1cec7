"""Shared by all readers of weight files: their error and the check of values."""

import math

import numpy as np

from kerasseg.names import bounded

MAX_RANK = 32  # of numpy's arrays


class WeightsError(ValueError):
    """A weight file that cannot be used; the message names the file and the fix.

    Attributes:
        path: the file as it was given, or None where the arrays came from memory.
    """

    def __init__(self, message, path=None):
        message = bounded(message)
        super().__init__(message if path is None else f"{bounded(path)}: {message}")
        self.path = path

    def __reduce__(self):  # the message already holds the path
        return _rebuild_error, (str(self), self.path)


def _rebuild_error(message, path):
    error = WeightsError(message)
    error.path = path
    return error


def widen_bfloat16(raw):
    """Return the float32 array whose upper halves are `raw`, uint16 of any shape."""
    wide = np.zeros((*raw.shape, 2), "<u2")  # little-endian: the upper half is last
    wide[..., 1] = raw
    return wide.view("<f4")[..., 0]


def check_finite(arrays, path):
    """Refuse arrays with NaN or Inf, naming the first few keys."""
    bad = [
        name
        for name, array in arrays.items()
        if array.dtype.kind == "f" and not np.isfinite(array).all()
    ]
    if bad:
        raise WeightsError(
            f"weights must be finite. Received: NaN or Inf in {listed(bad)}. The file "
            "is damaged or its training diverged; pass finite=False to read it anyway.",
            path,
        )


def check_size(name, shape, itemsize, num_bytes, path):
    """Refuse a shape that does not need exactly the bytes that there are."""
    for number in shape[: MAX_RANK + 1]:
        # An int, not True; more digits than any array has are not multiplied.
        if type(number) is not int or not 0 <= number < 2**62:
            raise ValueError(f"{bounded(number, 100)} in a shape is not a size")
    if len(shape) > MAX_RANK:
        raise ValueError(f"{len(shape)} axes, at most {MAX_RANK} are read")
    needed = math.prod(shape) * itemsize
    if needed != num_bytes:
        raise WeightsError(
            f"{name!r} of shape {shape} needs {needed} bytes. Received: {num_bytes}.",
            path,
        )


def listed(names, limit=8):
    """Return the first names, quoted, and how many more there are."""
    names = sorted(names)
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(repr(name) for name in names[:limit]) + more
