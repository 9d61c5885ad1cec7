"""Conversions between masks and COCO polygons (numpy, OpenCV, pycocotools).

A polygon is a flat list x1, y1, x2, y2, ... in pixels, pixel centres at i + 0.5; an
instance is a list of polygons, and covers a pixel if one of them contains its centre.
"""

import array

import cv2
import numpy as np
from pycocotools import mask as coco

from kerasseg.instance.rle import MAX_PIXELS

# Of one outline: pycocotools needs 120 bytes for each pixel of it.
MAX_LENGTH = 2**22


def to_polygons(mask):
    """Polygons of a mask along the sides of its pixels, without loss.

    Args:
        mask: bool or integers [H, W]; non-zero pixels are inside.

    Returns:
        List of polygons, one per 8-connected component. The format has no holes: a hole
        is joined to the outer ring by a cut of zero width.

    Raises:
        ValueError: if the mask is not [H, W].

    Example:
        >>> to_polygons(np.array([[0, 0, 0], [0, 1, 1]]))
        [[1.0, 1.0, 1.0, 2.0, 3.0, 2.0, 3.0, 1.0]]
    """
    mask = np.asarray(mask)
    if mask.ndim != 2:
        raise ValueError(f"`mask` must be [H, W]. Received: shape={mask.shape}.")
    if not mask.any():
        return []
    rows, columns = (np.flatnonzero((mask != 0).any(axis)) for axis in (1, 0))
    part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] != 0
    # OpenCV's contours run through pixel centres. In a mask of twice the size the
    # centres of the pixels around a corner round to that corner: 2i and 2i - 1 to i.
    doubled = np.kron(part, np.ones([2, 2], "uint8")).astype("uint8")
    outlines, tree = cv2.findContours(doubled, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    corners = [_corners((outline[:, 0] + 1) // 2) for outline in outlines]
    parents = tree[0, :, 3]
    origin = np.array([columns[0], rows[0]])
    polygons = []
    for index in np.flatnonzero(parents < 0):
        outer = corners[index]
        for hole in np.flatnonzero(parents == index):
            inner = corners[hole]
            outer = np.concatenate([outer, outer[:1], inner, inner[:1]])
        polygons.append((outer + origin).astype("float64").ravel().tolist())
    return polygons


def from_polygons(polygons, size):
    """Mask of the pixels whose centres lie in one of the polygons.

    Args:
        polygons: sequence of flat lists of at least three points.
        size: (height, width) of the image. Points may lie outside of it by at most its
            height and width.

    Returns:
        bool [H, W].

    Raises:
        ValueError: if a polygon has an odd number of coordinates or fewer than six, or
            one that is not finite or too far outside.

    Example:
        >>> from_polygons([[0, 0, 2, 0, 2, 1, 0, 1]], (2, 3)).tolist()
        [[True, True, False], [False, False, False]]
    """
    height, width = size
    if height < 1 or width < 1 or height * width > MAX_PIXELS:
        raise ValueError(
            f"`size` must be at least 1 x 1 and at most {MAX_PIXELS} pixels. "
            f"Received: size={size}."
        )
    checked = check_polygons(polygons, size)
    if not checked:
        return np.zeros([height, width], bool)
    code = coco.merge(coco.frPyObjects(checked, height, width))
    return coco.decode(code).astype(bool)


def check_polygons(polygons, size):
    """Polygons as lists of floats; raises the errors of `from_polygons` about them."""
    return [_check_polygon(polygon, *size) for polygon in polygons]


def _shown(polygon):
    is_array = isinstance(polygon, array.array)
    return repr(list(polygon[:20]) if is_array else polygon)[:60]


def _check_polygon(polygon, height, width):
    # pycocotools 2.0 crashes the process on coordinates of NaN or 1e9.
    try:
        points = np.asarray(polygon, "float64")
    except (OverflowError, TypeError, ValueError):  # an int of 400 digits, ...
        points = np.empty(0)
    if points.ndim != 1 or points.size < 6 or points.size % 2:
        raise ValueError(
            "A polygon must be a flat list x1, y1, x2, y2, ... of three points or "
            f"more. Received: {_shown(polygon)}."
        )
    points = points.reshape(-1, 2)
    far = np.abs(points - [width / 2, height / 2]) > [1.5 * width, 1.5 * height]
    if not np.isfinite(points).all() or far.any():
        raise ValueError(
            "Coordinates of a polygon must be finite and near the image of "
            f"{width} x {height} pixels. Received: {_shown(polygon)}."
        )
    steps = np.abs(np.diff(points, axis=0, append=points[:1])).max(1)
    if steps.sum() > MAX_LENGTH:
        raise ValueError(
            f"A polygon must be at most {MAX_LENGTH} pixels long. Received: "
            f"{len(points)} points, {steps.sum():.0f} pixels."
        )
    return points.ravel().tolist()


def _corners(path):
    """Points of a closed path, axis-parallel steps, at which its direction changes."""
    path = path[np.any(path != np.roll(path, 1, 0), axis=1)]
    before, after = path - np.roll(path, 1, 0), np.roll(path, -1, 0) - path
    return path[np.any(np.sign(before) != np.sign(after), axis=1)]
