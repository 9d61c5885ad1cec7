"""Shared by all readers of weight files: their error and the check of values."""

import numpy as np


class WeightsError(ValueError):
    """A weight file that cannot be used; the message names the file and the fix.

    Attributes:
        path: the file as it was given, or None where the arrays came from memory.
    """

    def __init__(self, message, path=None):
        super().__init__(message if path is None else f"{path}: {message}")
        self.path = path

    def __reduce__(self):  # the message already holds the path
        return _rebuild_error, (str(self), self.path)


def _rebuild_error(message, path):
    error = WeightsError(message)
    error.path = path
    return error


def widen_bfloat16(raw):
    """Return the float32 array whose upper halves are `raw`, uint16 of any shape."""
    return np.asarray(raw.astype(np.uint32) << 16).view(np.float32)


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


def listed(names, limit=8):
    """Return the first names, quoted, and how many more there are."""
    names = sorted(names)
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(repr(name) for name in names[:limit]) + more
