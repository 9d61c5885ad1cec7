"""Matching of anchors to objects, and sampling of the anchors that train a head."""

import keras
from keras import ops

from kerasseg.detection.gather import gather

POSITIVE, NEGATIVE, IGNORED = 1, 0, -1
LOW_QUALITY_MATCHES = (None, "ties", "assign")


def match(iou, *, low_threshold, high_threshold, valid=None, low_quality_matches=None):
    """Match every anchor to the object of highest IoU, and label it.

    Args:
        iou: IoU of anchors and objects, float [..., A, G].
        low_threshold: anchors of a lower IoU are negative.
        high_threshold: anchors of this IoU or more are positive; those between the two
            thresholds are ignored.
        valid: bool [..., G], which objects are not padding; None for all.
        low_quality_matches: treatment of objects that no anchor overlaps by
            `high_threshold`. None: they have no anchor. "ties": all anchors whose IoU
            equals the best one of an object become positive; each keeps the object of
            its own highest IoU, which may be another (Faster and Mask R-CNN). "assign":
            the best anchor of each object, the first if several tie, is assigned to
            that object; an anchor that is best for several is assigned to the one of
            highest IoU (SSD, YOLACT; there the other object gets its second best). An
            object that overlaps no anchor has none in any case.

    Returns:
        Object of each anchor, int32 [..., A], the first one if several tie (0 where
        there is none at all), and labels int32 [..., A]: 1 positive, 0 negative, -1
        ignored.

    Raises:
        ValueError: if the thresholds are out of order, or `low_quality_matches` is not
            an option.

    Example:
        >>> iou = np.array([[0.8, 0.1], [0.2, 0.4], [0.0, 0.5]])
        >>> objects, labels = match(iou, low_threshold=0.3, high_threshold=0.6)
        >>> [ops.convert_to_numpy(x).tolist() for x in (objects, labels)]
        [[0, 1, 1], [1, -1, -1]]

    References: Ren et al., 2015, https://arxiv.org/abs/1506.01497; Liu et al., 2015,
    https://arxiv.org/abs/1512.02325
    """
    if not 0 <= low_threshold <= high_threshold <= 1:
        raise ValueError(
            "Thresholds must satisfy 0 <= low_threshold <= high_threshold <= 1. "
            f"Received: low_threshold={low_threshold}, high_threshold={high_threshold}."
        )
    if low_quality_matches not in LOW_QUALITY_MATCHES:
        raise ValueError(
            f"`low_quality_matches` must be one of {LOW_QUALITY_MATCHES}. "
            f"Received: {low_quality_matches!r}."
        )
    iou = ops.cast(iou, "float32")
    # Padding has a lower IoU than any object, so that it is nobody's best.
    if valid is not None:
        iou = ops.where(ops.expand_dims(valid, -2), iou, -1.0)
    objects = ops.cast(ops.argmax(iou, axis=-1), "int32")
    overlap = ops.max(iou, axis=-1)
    between = ops.where(overlap < low_threshold, NEGATIVE, IGNORED)
    labels = ops.where(overlap >= high_threshold, POSITIVE, between)
    if low_quality_matches is None:
        return objects, ops.cast(labels, "int32")
    best = ops.max(iou, axis=-2, keepdims=True)  # of each object, [..., 1, G]
    if low_quality_matches == "ties":
        chosen = ops.logical_and(iou == best, best > 0)
    else:
        first = ops.expand_dims(ops.argmax(iou, axis=-2), -2)
        rows = ops.expand_dims(ops.arange(iou.shape[-2], dtype=first.dtype), -1)
        chosen = ops.logical_and(rows == first, best > 0)
        objects_by_anchor = ops.argmax(ops.where(chosen, iou, -1.0), axis=-1)
        is_best = ops.any(chosen, axis=-1)
        objects = ops.where(is_best, ops.cast(objects_by_anchor, "int32"), objects)
    labels = ops.where(ops.any(chosen, axis=-1), POSITIVE, labels)
    return objects, ops.cast(labels, "int32")


def sample(labels, num, *, positive_fraction, seed):
    """Sample a fixed number of positive and negative anchors at random.

    At most `positive_fraction * num` (rounded down) are positive; the rest are
    negatives. Where there are too few of both, rows of weight 0 follow.

    Args:
        labels: int32 [N, A]; 1 positive, 0 negative, others are never sampled.
        num: number of samples per image.
        positive_fraction: largest fraction of positives, 0..1.
        seed: int or `keras.random.SeedGenerator`; an int gives the same samples in
            every call (other ones under XLA than without).

    Returns:
        Indices int32 [N, num] into A, positives first, and weights float32 [N, num]: 1
        for samples, 0 for rows that only pad.

    Raises:
        ValueError: if `num` or `positive_fraction` is out of range.

    Example:
        >>> indices, weights = sample(np.array([[0, 1, -1]]), 4, positive_fraction=0.5,
        ...                           seed=0)
        >>> [ops.convert_to_numpy(x).tolist() for x in (indices, weights)]
        [[[1, 0, 0, 0]], [[1.0, 1.0, 0.0, 0.0]]]
    """
    if num < 1 or not 0 <= positive_fraction <= 1:
        raise ValueError(
            "`num` must be 1 or more and `positive_fraction` in 0..1. "
            f"Received: num={num}, positive_fraction={positive_fraction}."
        )
    labels = ops.convert_to_tensor(labels)
    # The top k of random keys are a random sample of static shape. Keys in 1..2, plus 2
    # for positives, which come first; others have 0 and come last.
    chance = keras.random.uniform(ops.shape(labels), seed=seed, dtype="float32") + 1.0
    keys, candidates = [], []
    for label, most, bonus in [
        (POSITIVE, int(num * positive_fraction), 2.0),
        (NEGATIVE, num, 0.0),
    ]:
        key = ops.where(labels == label, chance + bonus, 0.0)
        values, found = ops.top_k(key, min(most, labels.shape[1]))
        keys.append(values)
        candidates.append(ops.cast(found, "int32"))
    keys, candidates = ops.concatenate(keys, 1), ops.concatenate(candidates, 1)
    missing = [(0, 0), (0, max(num - keys.shape[1], 0))]
    keys, candidates = ops.pad(keys, missing), ops.pad(candidates, missing)
    keys, order = ops.top_k(keys, num)
    weights = ops.cast(keys > 0, "float32")
    indices = gather(candidates, ops.cast(order, "int32"))
    return indices * ops.cast(weights, "int32"), weights
