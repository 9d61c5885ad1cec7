"""Distances between outlines, in millimetres or pixels: HD95, ASSD, surface Dice.

The usual scores of medical images. Each is of one class in one image; papers give means
over images, `numpy.nanmean`.
"""

import numpy as np
from scipy import ndimage

from kerasseg.metrics.boundary import class_maps


def surface_distances(label, class_ids, class_id=1, *, spacing=1.0, ignore_label=255):
    """Distances from each outline of a class to the other one.

    The outline of a mask are its pixels with a neighbour outside of it, up, down, left
    or right; the border of the image is outside, as in MedPy. Outline pixels on or
    beside ignored pixels do not count.

    Args:
        label: class ids [H, W] or [H, W, 1].
        class_ids: predicted class ids, likewise.
        class_id: the class.
        spacing: size of a pixel, a number or (height, width), in the unit of the
            result.
        ignore_label: None if there is none.

    Returns:
        Distances of the predicted outline to the labelled one, and the other way
        round: two arrays of float64. Both are empty where the class is in neither map;
        infinite where it is in one only.

    Raises:
        ValueError: if sizes differ, ids are no whole numbers, or `spacing` is no
            positive number or two.
    """
    label, class_ids = class_maps(label, class_ids)
    sides = np.asarray(spacing, "float64")
    if sides.shape not in ((), (2,)) or not ((sides > 0) & (sides < np.inf)).all():
        raise ValueError(
            "`spacing` must be a positive number or two, (height, width). "
            f"Received: {spacing!r}."
        )
    known = np.ones(label.shape, bool)
    if ignore_label is not None:
        # Beside ignored pixels an outline is where the annotation ends, not the object.
        known = ndimage.binary_erosion(label != ignore_label, border_value=1)
    right, found = (_outline(x == class_id) for x in (label, class_ids))
    # What lies among ignored pixels only is not there.
    right, found = (x & (known & x).any() for x in (right, found))
    return tuple(
        _to_nearest(those, spacing)[these & known]
        for these, those in ((found, right), (right, found))
    )


def hd95(distances):
    """95th percentile of the distances between two outlines (Hausdorff distance).

    Args:
        distances: of `surface_distances`.

    Returns:
        float; NaN where the class is in neither map, infinite where it is in one only.

    Example:
        >>> label, found = np.zeros([9, 9], "int32"), np.zeros([9, 9], "int32")
        >>> label[2:5, 2:5], found[2:5, 4:7] = 1, 1
        >>> float(hd95(surface_distances(label, found)))
        2.0
    """
    both = np.concatenate(distances)
    if not len(both):
        return np.nan
    # Over both outlines at once; some papers take the larger of two percentiles.
    return np.percentile(both, 95) if np.isfinite(both).all() else np.inf


def assd(distances):
    """Average symmetric surface distance: mean of the two outlines' mean distances.

    Args:
        distances: of `surface_distances`.

    Returns:
        float; NaN where the class is in neither map, infinite where it is in one only.
    """
    means = [np.mean(x) for x in distances if len(x)]
    return np.mean(means) if means else np.nan


def surface_dice(distances, tolerance):
    """Share of both outlines that is within a tolerance of the other one (NSD).

    Pixels of the outlines are counted, as in MONAI; the authors measure lengths between
    pixels, which differs by some hundredths.

    Args:
        distances: of `surface_distances`.
        tolerance: largest distance that counts as right, in its unit.

    Returns:
        float in 0..1; NaN where the class is in neither map.

    Reference: Nikolov et al., 2021, https://doi.org/10.2196/26151
    """
    both = np.concatenate(distances)
    return np.mean(both <= tolerance) if len(both) else np.nan


def _outline(mask):
    return mask & ~ndimage.binary_erosion(mask)


def _to_nearest(mask, spacing):
    """Distance [H, W] of each pixel to the mask; infinite for an empty one."""
    if not mask.any():
        # scipy would measure the distance to a point outside of the image.
        return np.full(mask.shape, np.inf)
    return ndimage.distance_transform_edt(~mask, sampling=spacing)
