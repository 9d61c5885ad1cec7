"""Boundary measures of the DAVIS and BSDS benchmarks, as their authors compute them."""

import cv2
import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from scipy.spatial import cKDTree
from skimage.morphology import disk, thin


def davis_boundary_f(mask, found, *, tolerance=0.008, void=None):
    """Boundary measure F of DAVIS for one object in one image.

    Boundary pixels match within a disk; unlike `boundary_counts`, a boundary lies half
    a pixel towards the origin, and diagonal neighbours make one, too. The benchmark
    takes the mean over the images of an object, then over objects.

    Args:
        mask: true mask [H, W], bool or 0 and 1.
        found: found mask [H, W].
        tolerance: radius of the disk, as a share of the image's diagonal (rounded up),
            or from 1 on in pixels.
        void: bool [H, W] of pixels that belong to neither mask, or None.

    Returns:
        float in 0..1; 1 if both are without boundary, 0 if one is.

    Raises:
        ValueError: if the masks are no masks of one size.

    Reference: Perazzi et al., 2016, https://doi.org/10.1109/CVPR.2016.85
    """
    mask, found = _masks(mask, found)
    if void is not None:
        mask, found = mask & ~np.asarray(void, bool), found & ~np.asarray(void, bool)
    radius = tolerance
    if tolerance < 1:
        # Rounded up, as the authors do: 0.008 of the diagonal of 854 x 480 are 8 px.
        radius = np.ceil(tolerance * np.linalg.norm(mask.shape))
    kernel = disk(int(radius)).astype("uint8")
    right, claimed = _outline(mask), _outline(found)
    if not right.any() or not claimed.any():
        return float(right.any() == claimed.any())
    near = [cv2.dilate(x.astype("uint8"), kernel) > 0 for x in (right, claimed)]
    precision = np.count_nonzero(claimed & near[0]) / np.count_nonzero(claimed)
    recall = np.count_nonzero(right & near[1]) / np.count_nonzero(right)
    return float(_f(precision, recall))


def bsds_boundary_counts(boundary, truths, *, thresholds=None, tolerance=0.0075):
    """Counts of the boundary benchmark of BSDS for one image.

    Boundaries are thinned, then matched with those of each annotator one to one, at the
    least sum of distances; a pixel counts as right if any annotator has it.

    Args:
        boundary: bool [H, W], or strengths in 0..1 with `thresholds`.
        truths: list of the annotators' boundaries, bool [H, W]. Of segments, `segments
            != ` their right or lower neighbour.
        thresholds: T strengths from which on a pixel is boundary; None for bool ones.
        tolerance: largest distance of a pair, as a share of the image's diagonal.

    Returns:
        int64 [T, 4]: matched predicted pixels, predicted ones, matched pixels of all
        annotators, all of their pixels.

    Raises:
        ValueError: if the maps are of several sizes, or `thresholds` are missing.

    Reference: Martin et al., 2004, https://doi.org/10.1109/TPAMI.2004.1273918; Arbelaez
    et al., 2011, https://doi.org/10.1109/TPAMI.2010.161
    """
    boundary, truths = np.asarray(boundary), [np.asarray(x, bool) for x in truths]
    if thresholds is None and boundary.dtype != bool:
        raise ValueError(
            "A `boundary` of strengths needs `thresholds`, "
            f"np.arange(1, 100) / 100 in BSDS. Received: {boundary.dtype}."
        )
    if boundary.ndim != 2 or any(x.shape != boundary.shape for x in truths):
        raise ValueError(
            "`boundary` and `truths` must be maps [H, W] of one size. Received: "
            f"{boundary.shape} and {[x.shape for x in truths]}."
        )
    # 0.0075 of the diagonal of 481 x 321: 4.3 px, not rounded.
    reach = tolerance * np.linalg.norm(boundary.shape)
    levels = [boundary] if thresholds is None else [boundary >= t for t in thresholds]
    rows = []
    for level in levels:
        level = thin(level)
        right, hit = np.zeros(boundary.shape, bool), 0
        for truth in truths:
            matched, num = _match(level, truth, reach)
            right |= matched
            hit += num
        rows.append([right.sum(), level.sum(), hit, sum(x.sum() for x in truths)])
    return np.array(rows, "int64")


def bsds_boundary_scores(counts):
    """F-measures and average precision of the boundary benchmark of BSDS.

    Args:
        counts: list of `bsds_boundary_counts` of the images, [T, 4] each.

    Returns:
        dict of floats in 0..1: "ods", the best F of one threshold for all images
        (between two, precision and recall are interpolated, as the authors do), "ois",
        F with the best threshold of each image, and "ap": the mean of the precision of
        all images at the recalls 0, .01, ..., 1, times 1.01, as the authors sum it.
        Between the recalls that occur it is interpolated, below and above it is 0, and
        where only one occurs, "ap" is 0.
    """
    counts = np.asarray(counts, "float64")  # [N, T, 4]
    precision, recall = _precision_recall(counts.sum(0))
    best = _f(precision[0], recall[0])
    # Between two thresholds the authors interpolate, and take the best point.
    for share in np.linspace(0, 1, 100):
        between = [share * x[1:] + (1 - share) * x[:-1] for x in (precision, recall)]
        best = max(best, _f(*between).max(initial=0))
    chosen = _f(*_precision_recall(counts)).argmax(1)
    of_images = counts[np.arange(len(counts)), chosen].sum(0)
    return {
        "ods": float(best),
        "ois": float(_f(*_precision_recall(of_images))),
        "ap": _area(precision, recall),
    }


def _area(precision, recall):
    """Area below precision over recall, as `bsds_boundary_scores` says."""
    # Of equal recalls the highest threshold, the last, as the authors' `unique` takes.
    known = dict(sorted(zip(recall.tolist(), precision.tolist()), key=lambda x: x[0]))
    if len(known) < 2:
        return 0.0
    steps = np.arange(101) / 100
    points = np.interp(steps, list(known), list(known.values()), left=0, right=0)
    return float(points.sum() * 0.01)


def _masks(*masks):
    masks = [np.asarray(mask) for mask in masks]
    for mask in masks:
        whole = mask.dtype == bool or np.isin(mask, (0, 1)).all()
        if mask.ndim != 2 or mask.shape != masks[0].shape or not whole:
            raise ValueError(
                "Masks must be bool, or 0 and 1, [H, W] of one size; of class ids "
                f"write `label == k`. Received: {mask.dtype} {mask.shape}."
            )
    return [mask.astype(bool) for mask in masks]


def _outline(mask):
    """Pixels that differ from their right, lower or lower right neighbour."""
    padded = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    right, below, corner = padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    edge = (mask ^ right) | (mask ^ below) | (mask ^ corner)
    # In the last row and column the neighbour across the corner is the one beside.
    edge[-1, -1] = False
    return edge


def _match(found, truth, reach):
    """Found pixels [H, W] with a partner, and the number of pairs.

    The cheapest assignment, where each pixel without a partner costs 100 times the
    reach: pixels and stand-ins for "no partner" on both sides make it a full matching.
    """
    matched = np.zeros(found.shape, bool)
    here, there = np.argwhere(found), np.argwhere(truth)
    if not len(here) or not len(there):
        return matched, 0
    pairs = cKDTree(here).sparse_distance_matrix(
        # Distances that are exactly the reach must not be lost by rounding.
        cKDTree(there),
        reach * (1 + 1e-12),
        output_type="coo_matrix",
    )
    rows, columns, costs = pairs.row, pairs.col, pairs.data
    num, other = len(here), len(there)
    # A stored zero would be no edge, so that every cost is a little above 0.
    tiny, alone = 1e-6, 100 * max(reach, 1.0)
    rows_of = [rows, np.arange(num), num + np.arange(other), num + columns]
    columns_of = [columns, other + np.arange(num), np.arange(other), other + rows]
    data = [
        costs + tiny,
        np.full(num, alone),
        np.full(other, alone),
        np.full(len(rows), tiny),
    ]
    graph = coo_matrix(
        (np.concatenate(data), (np.concatenate(rows_of), np.concatenate(columns_of))),
        shape=(num + other, num + other),
    ).tocsr()
    left, right = min_weight_full_bipartite_matching(graph)
    of_pairs = left[(left < num) & (right < other)]
    matched[tuple(here[of_pairs].T)] = True
    return matched, len(of_pairs)


def _precision_recall(counts):
    right, found, hit, there = np.moveaxis(np.asarray(counts, "float64"), -1, 0)
    return right / np.maximum(found, 1), hit / np.maximum(there, 1)


def _f(precision, recall):
    total = np.asarray(precision + recall)
    return 2 * precision * recall / np.where(total > 0, total, 1)
