"""Pictures that several tests of classical methods share."""

import numpy as np

HALVES = np.repeat([[0] * 10 + [200] * 10], 16, axis=0).astype("uint8")


def disks(*places, size=(60, 90)):
    """bool [H, W], True in disks (row, column, radius)."""
    y, x = np.indices(size)
    return np.any([(y - r) ** 2 + (x - c) ** 2 <= d**2 for r, c, d in places], axis=0)
