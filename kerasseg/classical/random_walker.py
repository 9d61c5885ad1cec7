"""Random walker segmentation from markers."""

import numpy as np
from skimage import segmentation

from kerasseg.classical._inputs import check_labels, check_number, lab
from kerasseg.classical._label_maps import contiguous
from kerasseg.classical._seeds import marker_pixels


def random_walker(image, markers, *, beta: float = 130.0) -> np.ndarray:
    """Label each pixel by the marker that a random walker reaches first.

    Args:
        image: RGB [H, W, 3] or grey [H, W], numbers of any range.
        markers: integers [H, W], 0 where unknown, 1, 2, ... where a region starts.
        beta: penalty of colour differences on the walker's motion; larger keeps the
            walker from crossing edges.

    Returns:
        int32 [H, W], region k around the k-th smallest marker number, from 0. One
        sparse linear system per marker, about O(HW) each.

    Raises:
        ValueError: if `markers` has another size, or marks nothing.

    Example:
        >>> halves = np.repeat([[0, 0, 0, 200, 200, 200]], 4, axis=0).astype("uint8")
        >>> markers = np.zeros([4, 6], int)
        >>> markers[0, 0], markers[3, 5] = 1, 2
        >>> random_walker(halves, markers)[1].tolist()
        [0, 0, 0, 1, 1, 1]

    Reference: Grady, 2006, https://doi.org/10.1109/TPAMI.2006.233
    """
    check_number(beta, "beta", 0.0)
    colors = lab(image).astype("float64") / 100
    markers = check_labels(markers, colors.shape[:2], name="markers")
    groups = marker_pixels(markers, markers.shape, name="markers")
    if len(groups) == 1:
        return np.zeros(markers.shape, "int32")
    if (markers > 0).all():
        return contiguous(markers)
    if np.ptp(colors) == 0:  # scikit-image 0.26 divides by the standard deviation
        colors[0, 0] += 1e-6
    numbers = np.zeros(markers.shape, "int32")
    for k, points in enumerate(groups, 1):
        numbers[tuple(points.T)] = k
    found = segmentation.random_walker(colors, numbers, beta=beta, channel_axis=-1)
    return (found - 1).astype("int32")
