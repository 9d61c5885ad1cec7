"""Boundary F-score, the quality of the outlines of classes."""

import cv2
import numpy as np

CROSS = np.uint8([[0, 1, 0], [1, 1, 1], [0, 1, 0]])


def boundary_counts(label, class_ids, num_classes, *, tolerance_px=2, ignore_label=255):
    """Counts of the boundary pixels of each class in one image, matched and all.

    The boundary of a class is its pixels beside another class or the ignore label, up,
    down, left or right; the border of the image is no boundary. Boundary pixels on or
    beside ignored pixels do not count, because the true outline is not known there.

    Args:
        label: class ids [H, W] or [H, W, 1].
        class_ids: predicted class ids, likewise.
        num_classes: K.
        tolerance_px: largest Euclidean distance of a boundary pixel to its match in
            the other map.
        ignore_label: None if there is none.

    Returns:
        int64 [K, 4]: predicted ones that match, predicted ones, labelled ones that
        match, labelled ones. Counts of several images can be added. O(K * H * W).

    Raises:
        ValueError: if the sizes differ, or ids are no whole numbers.
    """
    label, class_ids = class_maps(label, class_ids)
    known = np.ones(label.shape, bool)
    if ignore_label is not None:
        known = cv2.erode((label != ignore_label).astype("uint8"), CROSS) > 0
    counts = np.zeros([num_classes, 4], "int64")
    for k in range(num_classes):
        right, found = _boundary(label == k), _boundary(class_ids == k)
        for column, (these, those) in enumerate([(found, right), (right, found)]):
            counted = these & known
            near = _distance(those) <= tolerance_px
            counts[k, 2 * column] = np.count_nonzero(counted & near)
            counts[k, 2 * column + 1] = np.count_nonzero(counted)
    return counts


def boundary_f(counts):
    """F-score of the boundaries of each class.

    The harmonic mean of precision (share of the predicted boundary that is near a
    labelled one) and recall (the other way round). Unlike the paper's, which means over
    images, it is computed from the sums over all images, as `mean_iou` is.

    Args:
        counts: sum of `boundary_counts`, [K, 4].

    Returns:
        float64 [K] in 0..1; NaN for classes without boundary in either map.

    Example:
        >>> boundary_f([[8, 10, 5, 10]]).round(4).tolist()
        [0.6154]

    Reference: Csurka et al., 2013, https://doi.org/10.5244/C.27.32
    """
    counts = np.asarray(counts, "float64")
    if counts.ndim != 2 or counts.shape[-1] != 4:
        raise ValueError(
            "`counts` must be [K, 4], a sum of `boundary_counts(label, class_ids, "
            f"num_classes)`. Received: {counts.shape}."
        )
    matched, predicted, hit, labelled = counts.T
    precision = matched / np.maximum(predicted, 1)
    recall = hit / np.maximum(labelled, 1)
    score = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return np.where(predicted + labelled > 0, score, np.nan)


def class_maps(label, class_ids):
    """Two maps of class ids as arrays [H, W].

    Raises:
        ValueError: if the sizes differ, or ids are no whole numbers.
    """
    label, class_ids = _class_map(label), _class_map(class_ids)
    if label.ndim != 2 or label.shape != class_ids.shape:
        raise ValueError(
            "`label` and `class_ids` must have one size [H, W]. "
            f"Received: {label.shape} and {class_ids.shape}."
        )
    return label, class_ids


def _class_map(ids):
    ids = np.asarray(ids)
    if ids.dtype.kind not in "biuf" or np.any(ids != np.floor(ids)):
        raise ValueError(
            "Maps must be class ids, whole numbers; probabilities become ids by "
            f"`argmax(-1)` or `> 0.5`. Received: {ids.dtype} {ids.shape}."
        )
    return ids[..., 0] if ids.ndim == 3 and ids.shape[-1] == 1 else ids


def _boundary(mask):
    """Pixels of a mask with a 4-neighbour outside of it, image borders excepted."""
    mask = mask.astype("uint8")
    # Beyond the image `erode` assumes the largest value: its borders are not eroded.
    return (mask - cv2.erode(mask, CROSS)).astype(bool)


def _distance(mask):
    """Distance [H, W] of each pixel to the mask, px; infinite for an empty one."""
    if not mask.any():
        return np.full(mask.shape, np.inf, "float32")
    outside = (~mask).astype("uint8")
    # The 3x3 and 5x5 masks of OpenCV only approximate Euclidean distances.
    return cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
