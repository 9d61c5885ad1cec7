"""Which anchor stands for which object, and which of them train a head."""

import keras
from keras import ops

from kerasseg.detection.gather import gather

POSITIVE, NEGATIVE, IGNORED = 1, 0, -1
RESCUES = (None, "ties", "assign")


def match(iou, *, low, high, valid=None, rescue=None):
    """Give every anchor the object that it overlaps most, and a label.

    Args:
        iou: overlaps of anchors and objects, float [..., A, G].
        low: below it an anchor is negative.
        high: from it on an anchor is positive; between `low` and `high` it is ignored.
        valid: bool [..., G], which objects are not padding; None for all.
        rescue: what becomes of objects that no anchor overlaps by `high`.
            None: nothing. "ties": all anchors that overlap an object as much as its
            best one does turn positive; each keeps the object that it overlaps most,
            which may be another (Faster and Mask R-CNN). "assign": the best anchor of
            each object, the first if several tie, is given to that object; an anchor
            that is best for several goes to the one it overlaps most (SSD, YOLACT,
            where the loser is given its second best). An object that touches no
            anchor is not rescued.

    Returns:
        Object of each anchor, int32 [..., A], the first one if several tie (0 where
        there is none at all), and labels int32 [..., A]: 1 positive, 0 negative, -1
        ignored.

    Raises:
        ValueError: if the thresholds are out of order, or `rescue` is no option.

    Example:
        >>> iou = np.array([[0.8, 0.1], [0.2, 0.4], [0.0, 0.5]])
        >>> objects, labels = match(iou, low=0.3, high=0.6)
        >>> [ops.convert_to_numpy(x).tolist() for x in (objects, labels)]
        [[0, 1, 1], [1, -1, -1]]

    References: Ren et al., 2015, https://arxiv.org/abs/1506.01497; Liu et al., 2015,
    https://arxiv.org/abs/1512.02325
    """
    if not 0 <= low <= high <= 1:
        raise ValueError(
            "`low` and `high` must be in order, 0 <= low <= high <= 1. "
            f"Received: low={low}, high={high}."
        )
    if rescue not in RESCUES:
        raise ValueError(f"`rescue` must be one of {RESCUES}. Received: {rescue!r}.")
    iou = ops.cast(iou, "float32")
    if valid is not None:
        iou = ops.where(ops.expand_dims(valid, -2), iou, -1.0)
    objects = ops.cast(ops.argmax(iou, axis=-1), "int32")
    overlap = ops.max(iou, axis=-1)
    between = ops.where(overlap < low, NEGATIVE, IGNORED)
    labels = ops.where(overlap >= high, POSITIVE, between)
    if rescue is None:
        return objects, ops.cast(labels, "int32")
    best = ops.max(iou, axis=-2, keepdims=True)
    if rescue == "ties":
        chosen = ops.logical_and(iou == best, best > 0)
    else:
        first = ops.expand_dims(ops.argmax(iou, axis=-2), -2)
        rows = ops.expand_dims(ops.arange(iou.shape[-2], dtype=first.dtype), -1)
        chosen = ops.logical_and(rows == first, best > 0)
        claims = ops.argmax(ops.where(chosen, iou, -1.0), axis=-1)
        any_claim = ops.any(chosen, axis=-1)
        objects = ops.where(any_claim, ops.cast(claims, "int32"), objects)
    labels = ops.where(ops.any(chosen, axis=-1), POSITIVE, labels)
    return objects, ops.cast(labels, "int32")


def sample(labels, num, *, positive_fraction, seed):
    """Draw a fixed number of positive and negative anchors by chance.

    At most `positive_fraction * num` (rounded down) are positive, negatives fill up;
    where they do not suffice either, rows of weight 0 follow.

    Args:
        labels: int32 [N, A]; 1 positive, 0 negative, all others are not drawn.
        num: how many to draw in each image.
        positive_fraction: largest share of positives, 0..1.
        seed: int or `keras.random.SeedGenerator`; an int draws the same every time
            (under XLA the same, too, but other than without).

    Returns:
        Indices int32 [N, num] into A, positives first, and weights float32 [N, num] of
        1 for what was drawn and 0 for rows that only fill up.

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
    # In 1..2, so that the keys of positives (plus 2) precede those of negatives, and
    # the zeros of what must not be drawn come last.
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
