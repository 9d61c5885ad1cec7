"""Watersheds: from markers, compact superpixels, and splitting of touching objects."""

import cv2
import numpy as np
from skimage import measure, morphology, segmentation

from kerasseg.classical._inputs import check_labels, check_number, lab
from kerasseg.classical._label_maps import contiguous
from kerasseg.classical._seeds import marker_pixels
from kerasseg.classical.slic import grid

MANY_NUMBERS = 16  # in a mask; photos have more


def watershed(
    image, markers=None, *, sigma: float = 1.0, min_depth: float = 1.0
) -> np.ndarray:
    """Watershed of the colour gradient, flooded from markers.

    Args:
        image: RGB [H, W, 3] or grey [H, W], numbers of any range.
        markers: integers [H, W], 0 where unknown, 1, 2, ... where a region starts;
            None takes the minima of the gradient.
        sigma: standard deviation of a Gaussian blur before, px; 0 for none.
        min_depth: depth of the shallowest minimum that starts a region (h of the
            h-minima transform), CIELAB units per pixel.

    Returns:
        int32 [H, W], region k around the k-th smallest marker number, from 0. A
        connected marker gives a 4-connected region. O(HW log HW).

    Raises:
        ValueError: if `markers` has another size, or marks nothing.

    Example:
        >>> halves = np.repeat([[0, 0, 0, 200, 200, 200]], 4, axis=0).astype("uint8")
        >>> markers = np.zeros([4, 6], int)
        >>> markers[0, 0], markers[3, 5] = 1, 2
        >>> watershed(halves, markers, sigma=0)[1].tolist()
        [0, 0, 0, 1, 1, 1]

    Reference: Meyer, 1994, https://doi.org/10.1016/0165-1684(94)90060-4
    """
    check_number(sigma, "sigma", 0.0)
    heights = _gradient(image, sigma)
    if markers is None:
        markers = measure.label(_peaks(-heights, min_depth), connectivity=1)
    else:
        markers = check_labels(markers, heights.shape, name="markers")
        marker_pixels(markers, heights.shape, name="markers")  # at least one
    return contiguous(segmentation.watershed(heights, markers).astype("int32"))


def compact_watershed(
    image, num_segments: int = 300, *, compactness: float = 0.1, sigma: float = 1.0
) -> np.ndarray:
    """Superpixels by compact watershed from a regular grid of markers.

    Args:
        image: RGB [H, W, 3] or grey [H, W], numbers of any range.
        num_segments: number of superpixels, up to the number of pixels; met exactly.
        compactness: weight of the distance to the marker, in CIELAB units of gradient
            per pixel; larger gives more compact superpixels.
        sigma: standard deviation of a Gaussian blur before, px; 0 for none.

    Returns:
        int32 [H, W], 0..K-1, 4-connected. O(HW log HW).

    Example:
        >>> int(compact_watershed(np.zeros([30, 40], "uint8"), 12).max())
        11

    Reference: Neubert and Protzel, 2014, https://doi.org/10.1109/ICPR.2014.181
    """
    check_number(compactness, "compactness", 0.0)
    check_number(sigma, "sigma", 0.0)
    heights = _gradient(image, sigma)
    check_number(num_segments, "num_segments", 1, heights.size)
    rows, cols = grid(heights.shape, num_segments)
    y, x = (
        ((np.arange(num) + 0.5) * length / num).astype("int64")
        for num, length in zip((rows, cols), heights.shape)
    )
    points = np.stack(np.meshgrid(y, x, indexing="ij"), 2).reshape(-1, 2)
    # The grid may have a few points too many; evenly spaced ones are left out.
    chosen = np.linspace(0, len(points) - 1, num_segments).round().astype("int64")
    markers = np.zeros(heights.shape, "int32")
    markers[tuple(points[chosen].T)] = np.arange(1, num_segments + 1)
    labels = segmentation.watershed(heights, markers, compactness=compactness)
    return contiguous(labels.astype("int32"))


def split_instances(
    mask, *, min_depth: float = 1.0, min_size: int = 10, sigma: float = 0.0
) -> np.ndarray:
    """Split touching objects of a mask by a watershed of the distance transform.

    The distance to the background has a maximum in each convex object. Two maxima
    become two objects if the path between them descends by more than `min_depth`.

    Args:
        mask: bool or integers [H, W], 0 the background, such as a semantic mask.
            Objects of different numbers, the classes, are never joined.
        min_depth: depth of the pass between two maxima (h of the h-maxima transform):
            half widths of the smaller object less that of the neck, px.
        min_size: smaller objects are removed, px.
        sigma: standard deviation of a Gaussian blur of the distance transform, px; 0
            for none. With 1, rough outlines allow a `min_depth` of 0.5.

    Returns:
        int32 [H, W], 0 background, 1..N objects, each 4-connected. O(HW log HW).

    Raises:
        ValueError: if `mask` is not integers [H, W] or looks like a photo, or an
            argument is out of range.

    Example:
        >>> columns = np.abs(np.arange(40) - [[10], [29]]).min(0)
        >>> rows = np.abs(np.arange(21)[:, None] - 10)
        >>> int(split_instances(rows**2 + columns**2 < 100).max())
        2

    Reference: Soille, 2004, Morphological Image Analysis, chapter 9
    """
    classes = check_labels(mask, name="mask")
    check_number(min_depth, "min_depth", 0.0)
    check_number(min_size, "min_size", 1)
    check_number(sigma, "sigma", 0.0)
    _refuse_photo(classes)
    labels = np.zeros(classes.shape, "int32")
    for class_id in np.unique(classes[classes > 0]):
        inside = classes == class_id
        found = _split(inside, min_depth, sigma)
        labels[inside] = found[inside] + labels.max()
    labels[(np.bincount(labels.ravel()) < min_size)[labels]] = 0
    used = np.bincount(labels.ravel()) > 0
    used[0] = True  # 0 stays the background even where there is none
    return (np.cumsum(used) - 1).astype("int32")[labels]


def _split(mask, min_depth, sigma):
    """Objects 1, 2, ... of one class; see `split_instances`."""
    padded = np.pad(mask, 1).astype("uint8")  # an object at the border ends there
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    depth = depth[1:-1, 1:-1]
    hills = cv2.GaussianBlur(depth, (0, 0), sigma) if sigma else depth
    # 8-connected: pixels of one plateau that touch at corners are one maximum.
    markers = measure.label(_peaks(hills, min_depth) & mask, connectivity=2)
    # The watershed is 4-connected: a component without a maximum of its own, such as
    # one that touches another at a corner only, becomes a marker as a whole.
    components = measure.label(mask, connectivity=1)
    has_marker = np.bincount(components.ravel(), markers.ravel() > 0) > 0
    missed = ~has_marker[components] & mask
    markers[missed] = components[missed] + markers.max()
    return segmentation.watershed(-depth, markers, mask=mask)


def _refuse_photo(mask):
    """Raise a ValueError if many numbers change from pixel to pixel."""
    num = len(np.unique(mask))
    pairs = (mask[:, :-1], mask[:, 1:]), (mask[:-1], mask[1:])
    inside = [(a > 0) & (b > 0) for a, b in pairs]
    changes = sum(np.count_nonzero((a != b) & i) for (a, b), i in zip(pairs, inside))
    share = changes / max(sum(map(np.count_nonzero, inside)), 1)
    if num > MANY_NUMBERS and share > 0.2:
        raise ValueError(
            "`mask` must hold 0 for the background and a number for each class. "
            f"Received: {num} numbers that differ between {share:.0%} of neighbouring "
            "pixels, as in a photo or a compressed mask. Fix: threshold it, such as "
            "`mask > 127` or classical.threshold(image)."
        )


def _peaks(depth, height):
    """h-maxima: local maxima that rise by `height` above the pass to a higher one."""
    lowered = depth - np.float32(max(height, 1e-3))
    # Reconstruction by dilation flattens each hill by `height`: lower ones vanish.
    flooded = morphology.reconstruction(lowered, depth)
    return morphology.local_maxima(flooded)


def _gradient(image, sigma):
    """Norm of the gradient of CIELAB colours, units per pixel: float32 [H, W]."""
    colors = lab(image, sigma)
    total = np.zeros(colors.shape[:2], "float32")
    for channel in cv2.split(colors):
        for order in ((1, 0), (0, 1)):
            # Sobel's weights sum to 4, over a distance of two pixels: 1 / 8.
            total += np.square(cv2.Sobel(channel, cv2.CV_32F, *order, scale=1 / 8))
    return np.sqrt(total)
