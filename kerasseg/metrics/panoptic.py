"""Panoptic quality of several classes, things and stuff (numpy, no tensorflow).

A panoptic map is ids [H, W] of segments 1..S and a class for each; 0 is void:
unlabelled pixels of the truth, or pixels without a prediction. Counts of several images
add up, so that a data set is scored from the sum.

Reference: Kirillov et al., 2018, https://arxiv.org/abs/1801.00868
"""

import numpy as np


def panoptic_counts(truth, found, num_classes, *, crowd=None):
    """Counts of matched, false and missed segments of each class, at IoU above 0.5.

    Void pixels of the truth count neither for nor against a found segment. A true
    segment that is a crowd of objects is neither matched nor missed. A found segment
    without a match is not false if more than half of it is void or in crowds of its
    class.

    Args:
        truth, found: pairs of ids, integers [H, W], and classes, integers [S] in
            0..num_classes - 1, as `instance.panoptic.Panoptic`.
        num_classes: C.
        crowd: bool [S], the true segments that are crowds; None for none.

    Returns:
        float64 [C, 4]: sum of the IoUs of pairs, true positives, false positives, false
        negatives.

    Raises:
        ValueError: if shapes differ, or ids or classes are out of range.

    Example:
        >>> truth = np.array([[1, 1, 1, 2]]), np.array([1, 0])
        >>> found = np.array([[1, 1, 2, 2]]), np.array([1, 0])
        >>> panoptic_counts(truth, found, 2).round(2).tolist()
        [[0.0, 0.0, 1.0, 1.0], [0.67, 1.0, 0.0, 0.0]]
    """
    (truth, of_truth), (found, of_found) = (
        _checked(*pair, num_classes, name)
        for pair, name in ((truth, "truth"), (found, "found"))
    )
    if truth.shape != found.shape:
        raise ValueError(
            "`truth` and `found` must be maps of the same size. "
            f"Received: {truth.shape} and {found.shape}."
        )
    crowd = np.zeros(len(of_truth), bool) if crowd is None else np.asarray(crowd, bool)
    if crowd.shape != of_truth.shape:
        raise ValueError(
            "`crowd` must be one bool for each true segment. "
            f"Received: {crowd.shape} for {len(of_truth)} segments."
        )
    sizes = len(of_truth) + 1, len(of_found) + 1
    # One number per pair of segments: one bincount makes the table of all overlaps.
    pairs = truth.ravel() * sizes[1] + found.ravel()
    table = np.bincount(pairs, minlength=sizes[0] * sizes[1]).reshape(sizes)
    true_areas, areas = table.sum(1)[1:], table.sum(0)[1:]
    void, shared = table[0, 1:], table[1:, 1:]
    # Void pixels do not count for a found segment, nor against it.
    union = true_areas[:, None] + (areas - void) - shared
    iou = shared / np.maximum(union, 1)
    same = of_truth[:, None] == of_found
    # Above one half a segment has at most one partner: no assignment is needed.
    matched = (iou > 0.5) & same & ~crowd[:, None]
    missed = ~matched.any(1) & (true_areas > 0) & ~crowd
    # Segments that are mostly void or crowd are not false (section 4.2 of the paper).
    excused = void + (shared * (same & crowd[:, None])).sum(0)
    false = ~matched.any(0) & (areas > 0) & (2 * excused <= areas)
    rows, columns = np.nonzero(matched)
    counts = [
        np.bincount(of_truth[rows], iou[rows, columns], minlength=num_classes),
        np.bincount(of_truth[rows], minlength=num_classes),
        np.bincount(of_found[false], minlength=num_classes),
        np.bincount(of_truth[missed], minlength=num_classes),
    ]
    return np.stack(counts, -1).astype("float64")


def panoptic_scores(counts):
    """Panoptic, segmentation and recognition quality.

    Args:
        counts: [C, 4] of `panoptic_counts`, or a sum of them over images.

    Returns:
        dict of "pq", "sq" and "rq", means over the classes that occur in truth or
        predictions (NaN if none does), and "pq_per_class" float64 [C], NaN for classes
        that do not occur. SQ is the mean IoU of pairs, 0 without any; RQ the F1 of
        segments; PQ their product.

    Example:
        >>> scores = panoptic_scores(np.array([[1.6, 2, 1, 1], [0, 0, 0, 0]]))
        >>> [round(scores[name], 3) for name in ("pq", "sq", "rq")]
        [0.533, 0.8, 0.667]
    """
    iou, hits, false, missed = np.asarray(counts, "float64").T
    total = hits + (false + missed) / 2
    rq = np.divide(hits, total, out=np.full(len(hits), np.nan), where=total > 0)
    sq = np.where(total > 0, iou / np.maximum(hits, 1), np.nan)
    occurs = total > 0
    means = {
        name: float(values[occurs].mean()) if occurs.any() else float("nan")
        for name, values in (("pq", sq * rq), ("sq", sq), ("rq", rq))
    }
    return {**means, "pq_per_class": sq * rq}


def _checked(ids, classes, num_classes, name):
    ids, classes = np.asarray(ids), np.asarray(classes)
    if classes.size == 0:
        classes = classes.astype("int64")
    whole = ids.ndim == 2 and ids.dtype.kind in "iu"
    whole = whole and classes.ndim == 1 and classes.dtype.kind in "iu"
    if not whole or (ids.size and not 0 <= ids.min() <= ids.max() <= len(classes)):
        raise ValueError(
            f"`{name}` must be ids [H, W] in 0..S and classes [S], both integers. "
            f"Received: ids {ids.dtype} {ids.shape}, classes {classes.dtype} "
            f"{classes.shape}."
        )
    if classes.size and not 0 <= classes.min() <= classes.max() < num_classes:
        raise ValueError(
            f"Classes of `{name}` must lie in 0..{num_classes - 1}. "
            f"Received: {classes.min()}..{classes.max()}."
        )
    return ids.astype("int64"), classes.astype("int64")
