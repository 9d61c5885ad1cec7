"""Images of 64 pixels and their masks of 16, for results worked out by hand."""

import numpy as np

SIZE = (64, 64)
MASK_SIZE = (16, 16)


def inside(box):
    """Pixels of a mask whose centres lie in a box of image pixels."""
    y, x = (np.indices(MASK_SIZE) + 0.5) * 4
    x1, y1, x2, y2 = np.array(box)
    return (x >= x1) & (x < x2) & (y >= y1) & (y < y2)
