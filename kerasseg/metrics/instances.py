"""Scores of label maps of instances, one class (numpy, no tensorflow).

Instances are the numbers above 0 of a map; what is 0 or below is background. Counts of
several images add up, so that a data set is scored from the sum:

    >>> truth = np.array([[1, 1, 1, 0, 2, 2]])
    >>> found = np.array([[5, 5, 0, 0, 8, 8]])
    >>> counts = instance_counts(truth, found) + instance_counts(truth, truth)
    >>> average_precision(counts).round(2).tolist()[:4]
    [1.0, 1.0, 1.0, 1.0]

Where objects are too many to be told apart, truth may have a crowd, a mask. By the rule
of the panoptic quality (Kirillov et al., 2018, section 4.2) it is neither missed nor
matched, and a found instance without a match is not false if more than half of it lies
in the crowd. A crowd ends where a true instance is.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment

# Not 0.5 + 0.05 n, which makes 0.8500000000000001 of 0.85.
THRESHOLDS = tuple(np.arange(10, 20) / 20)  # 0.5, 0.55, ..., 0.95


def instance_counts(truth, found, thresholds=THRESHOLDS, *, crowd=None):
    """Counts of matched, false and missed instances, at several thresholds of IoU.

    Pairs are chosen so that as many as possible have at least the threshold, and then
    the largest sum of IoUs; above 0.5 there is only one choice.

    Args:
        truth, found: integers [H, W].
        thresholds: in 0..1, T of them.
        crowd: bool [H, W], or None.

    Returns:
        int64 [T, 3]: true positives, false positives and false negatives.

    Example:
        >>> instance_counts(np.array([[1, 2]]), np.array([[1, 0]]), [0.5]).tolist()
        [[1, 0, 1]]
    """
    iou, excused = _iou_and_excused(truth, found, crowd)
    matched = [_matched(iou, threshold) for threshold in thresholds]
    hits = np.array([np.count_nonzero(x) for x in matched], "int64")
    false = np.array([np.count_nonzero(~x & ~excused) for x in matched], "int64")
    return np.stack([hits, false, len(iou) - hits], -1)


def detected(truth, found, threshold=0.5):
    """Which true instances are matched, and how large they are.

    Args:
        truth, found: integers [H, W].
        threshold: of IoU, in 0..1.

    Returns:
        bool [M] and the areas int64 [M] in pixels, in rising order of the ids.

    Example:
        >>> [x.tolist() for x in detected(np.array([[1, 1, 2]]), np.array([[7, 7, 0]]))]
        [[True, False], [2, 1]]
    """
    shared, of_true, of_found = _overlaps(truth, found)
    return _matched(_iou(shared, of_true, of_found).T, threshold), of_true


def average_precision(counts):
    """Share of matches among all instances of either map, TP / (TP + FP + FN).

    The score of the Data Science Bowl 2018, of StarDist and Cellpose; not the area
    under a curve that detection calls by that name.

    Args:
        counts: [T, 3] of `instance_counts`, or a sum of them over images.

    Returns:
        float [T]; 1 where there is no instance at all.
    """
    hits, total = counts[:, 0], np.sum(counts, -1)
    return np.where(total > 0, hits / np.maximum(total, 1), 1.0)


def f1(counts):
    """Harmonic mean of precision and recall of instances, 2 TP / (2 TP + FP + FN).

    Args:
        counts: as in `average_precision`.

    Returns:
        float [T]; 1 where there is no instance at all.
    """
    hits, total = counts[:, 0], np.sum(counts, -1) + counts[:, 0]
    return np.where(total > 0, 2 * hits / np.maximum(total, 1), 1.0)


def panoptic_quality(truth, found, *, crowd=None):
    """Panoptic quality of one class: SQ x RQ, from pairs of IoU above 0.5.

    Args:
        truth, found: integers [H, W].
        crowd: bool [H, W], or None.

    Returns:
        dict of "pq", "sq" (mean IoU of the pairs, 0 if there is none) and "rq" (F1);
        all 1 if there is no instance at all.

    Reference: Kirillov et al., 2018, https://arxiv.org/abs/1801.00868
    """
    return quality(quality_counts(truth, found, crowd=crowd))


def quality_counts(truth, found, *, crowd=None):
    """Sums that make up the panoptic quality; those of several images add up.

    Args:
        truth, found: integers [H, W].
        crowd: bool [H, W], or None.

    Returns:
        float64 [3]: the sum of the IoUs of pairs above 0.5, the number of pairs, and
        half of the number of instances in both maps that count.
    """
    iou, excused = _iou_and_excused(truth, found, crowd)
    pairs = iou[iou > 0.5]
    left_out = np.count_nonzero(excused & ~(iou > 0.5).any(0))
    return np.array([pairs.sum(), len(pairs), (sum(iou.shape) - left_out) / 2])


def quality(counts):
    """Panoptic quality of one class.

    Args:
        counts: [3] of `quality_counts`, or a sum of them over images.

    Returns:
        As `panoptic_quality`.
    """
    total, pairs, objects = np.asarray(counts, "float64").tolist()
    if not objects:
        return {"pq": 1.0, "sq": 1.0, "rq": 1.0}
    sq = total / pairs if pairs else 0.0
    return {"pq": total / objects, "sq": sq, "rq": pairs / objects}


def aggregated_jaccard(truth, found, *, crowd=None):
    """Aggregated Jaccard index: pixels of pairs over pixels of their unions.

    Each true instance is paired with the found one of the largest IoU, which may be in
    several pairs; those in none add to the denominator.

    Args:
        truth, found: integers [H, W].
        crowd: bool [H, W], or None.

    Returns:
        float in 0..1; 1 if there is no instance at all.

    Reference: Kumar et al., 2017, https://doi.org/10.1109/TMI.2017.2677499
    """
    shared, of_true, of_found = _overlaps(truth, found)
    excused = _excused(truth, found, crowd, of_found)
    if not len(of_true) and excused.all():
        return 1.0
    if not len(of_true) or not len(of_found):
        return 0.0
    best = _iou(shared, of_true, of_found).argmax(1)
    rows = np.arange(len(of_true))
    hits = shared[rows, best]
    # One that no found instance touches has its own pixels as union.
    unions = of_true + np.where(hits > 0, of_found[best] - hits, 0)
    unused = np.setdiff1d(np.flatnonzero(~excused), best[hits > 0])
    return float(hits.sum() / (unions.sum() + of_found[unused].sum()))


def summary(counts, qualities, indices):
    """The scores of a data set, by the names that `evaluate.score` gives them.

    Args:
        counts: [10, 3], the sum of `instance_counts` of all images.
        qualities: [3], the sum of their `quality_counts`.
        indices: `aggregated_jaccard` of each image.

    Returns:
        dict of floats in 0..1: "label_ap" (mean over IoU 0.5:0.95), "label_ap50", "f1"
        (at 0.5), "pq", "sq", "rq", and "aji", the mean of `indices`.

    Example:
        >>> truth = np.array([[1, 1, 1, 0, 2, 2]])
        >>> maps = truth, np.minimum(truth, 1)
        >>> counts, index = instance_counts(*maps), aggregated_jaccard(*maps)
        >>> summary(counts, quality_counts(*maps), [index])["label_ap50"]
        0.5
    """
    by_iou = average_precision(counts)
    return {
        "label_ap": float(by_iou.mean()),
        "label_ap50": float(by_iou[0]),
        "f1": float(f1(counts)[0]),
        **quality(qualities),
        "aji": float(np.mean(indices)),
    }


def iou_table(truth, found):
    """IoU of all pairs of instances.

    Args:
        truth, found: integers [H, W].

    Returns:
        float64 [M, K], in rising order of the ids.

    Raises:
        ValueError: unless both are integers of the same shape.
    """
    return _iou(*_overlaps(truth, found))


def _iou(shared, of_true, of_found):
    return shared / (of_true[:, None] + of_found - shared)


def _overlaps(truth, found):
    """Pixels of pairs [M, K], of true [M] and of found [K] instances."""
    truth, found = np.asarray(truth), np.asarray(found)
    for labels in (truth, found):
        if labels.shape != truth.shape or labels.dtype.kind not in "iu":
            raise ValueError(
                "`truth` and `found` must be integers of the same shape. Received: "
                f"{truth.dtype} {truth.shape} and {found.dtype} {found.shape}."
            )
    (truth, num_true), (found, num_found) = (_renumber(x) for x in (truth, found))
    # One number per pair of ids, 0 being the background.
    codes = truth * (num_found + 1) + found
    counts = np.bincount(codes, minlength=(num_true + 1) * (num_found + 1))
    counts = counts.reshape(num_true + 1, num_found + 1)
    return counts[1:, 1:], counts.sum(1)[1:], counts.sum(0)[1:]


def _renumber(labels):
    """The same map, flat, with ids 1..M in rising order, and M."""
    ids, ranks = np.unique(np.maximum(labels, 0), return_inverse=True)
    has_background = bool(len(ids)) and ids[0] == 0
    return ranks.ravel() + (not has_background), len(ids) - has_background


def _matched(iou, threshold):
    """Found instances in pairs of at least the threshold, the most there are: [K]."""
    able = iou >= threshold
    # Two masks that both cover more than half of a third would overlap: no choice.
    if threshold > 0.5 or not able.any():
        return able.any(0)
    # A pair is worth 1, and all IoUs together at most 1 / 2: the number comes first.
    rows, columns = linear_sum_assignment(-(able + iou / (2 * min(iou.shape))))
    matched = np.zeros(iou.shape[1], bool)
    matched[columns] = able[rows, columns]
    return matched


def _iou_and_excused(truth, found, crowd):
    shared, of_true, of_found = _overlaps(truth, found)
    excused = _excused(truth, found, crowd, of_found)
    return _iou(shared, of_true, of_found), excused


def _excused(truth, found, crowd, of_found):
    """Found instances of which more than half lies in the crowd: bool [K]."""
    if crowd is None:
        return np.zeros(len(of_found), bool)
    crowd = np.asarray(crowd)
    if crowd.shape != np.shape(truth) or crowd.dtype != bool:
        raise ValueError(
            "`crowd` must be a bool mask of the shape of the maps. "
            f"Received: {crowd.dtype} {crowd.shape} for {np.shape(truth)}."
        )
    ranks, num = _renumber(np.asarray(found))
    inside = (crowd & (np.asarray(truth) <= 0)).ravel()
    return 2 * np.bincount(ranks[inside], minlength=num + 1)[1:] > of_found
