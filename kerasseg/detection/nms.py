"""Non-maximum suppression: of boxes that overlap, keep the best."""

from keras import ops

from kerasseg.detection import boxes as geometry
from kerasseg.detection.gather import gather

KINDS = ("exact", "fast")


def nms(
    boxes,
    scores,
    *,
    iou_threshold=0.5,
    max_output=100,
    score_threshold=None,
    classes=None,
    kind="exact",
):
    """Indices of the boxes that no better box overlaps, best first.

    A better box has a higher score, or the same score and a lower index. Time and
    memory grow with the square of M; no shape depends on what is found.

    Args:
        boxes: float [M, 4] or [N, M, 4].
        scores: float [M] or [N, M]. Rows of score -inf or NaN, such as padding, are
            never kept.
        iou_threshold: a box is suppressed where the IoU exceeds it.
        max_output: how many indices to return.
        score_threshold: only boxes that score higher; None for all.
        classes: int [M] or [N, M]; only boxes of the same class suppress each other.
            None: one class.
        kind: "exact": a suppressed box suppresses no other, the usual greedy
            algorithm. "fast": it does, which keeps fewer boxes (YOLACT); one step
            instead of a few.

    Returns:
        int32 [max_output] or [N, max_output], -1 after the last one.

    Raises:
        ValueError: if `kind` is no option.

    Example:
        >>> boxes = np.array([[0, 0, 4, 4], [0, 0, 4, 3], [8, 8, 9, 9]], "float32")
        >>> kept = nms(boxes, np.array([0.5, 0.9, 0.1]), max_output=3)
        >>> ops.convert_to_numpy(kept).tolist()
        [1, 2, -1]

    Reference for "fast": Bolya et al., 2019, https://arxiv.org/abs/1904.02689
    """
    if kind not in KINDS:
        raise ValueError(f"`kind` must be one of {KINDS}. Received: kind={kind!r}.")
    boxes = ops.cast(boxes, "float32")
    scores = ops.cast(scores, "float32")
    single = len(boxes.shape) == 2
    if single:
        boxes, scores = boxes[None], scores[None]
        classes = None if classes is None else ops.convert_to_tensor(classes)[None]
    least = -float("inf") if score_threshold is None else score_threshold
    candidates = scores > least  # False for NaN
    # A stable sort (TensorFlow, JAX, torch): equal scores keep the order of indices.
    order = ops.argsort(ops.where(candidates, -scores, float("inf")), axis=-1)
    order = ops.cast(order, "int32")
    beats = _overlaps(boxes, classes, order, iou_threshold)
    candidates = gather(candidates, order)
    if kind == "exact":
        kept = _settle(beats, candidates)
    else:
        kept = _unbeaten(beats, candidates, candidates)
    found = _first(order, kept, max_output)
    return found[0] if single else found


def _overlaps(boxes, classes, order, threshold):
    """Whether box i would suppress box j, in the order of scores: float [N, M, M]."""
    boxes = gather(boxes, order)
    beats = geometry.iou(boxes[:, :, None], boxes[:, None]) > threshold
    if classes is not None:
        classes = gather(ops.convert_to_tensor(classes), order)
        same = classes[:, :, None] == classes[:, None]
        beats = ops.logical_and(beats, same)
    rank = ops.arange(boxes.shape[1], dtype="int32")
    return ops.cast(ops.logical_and(beats, rank[:, None] < rank), "float32")


def _unbeaten(beats, kept, candidates):
    """The candidates that none of `kept` suppresses: bool [N, M]."""
    num = ops.matmul(ops.cast(kept, "float32")[:, None], beats)[:, 0]
    return ops.logical_and(candidates, num == 0)


def _settle(beats, candidates):
    """The greedy choice as a fixed point: kept is what nothing kept suppresses.

    The first box is right from the start, and a box is right one step after all
    before it are, so the only fixed point is the greedy choice. Chains of boxes that
    suppress each other are short: a few steps do, whatever the number of boxes.
    """

    def changes(before, kept):
        return ops.any(before != kept)

    def step(_, kept):
        return kept, _unbeaten(beats, kept, candidates)

    other = ops.logical_not(candidates)  # so that there is a first step
    return ops.while_loop(changes, step, (other, candidates))[1]


def _first(order, kept, num):
    """The first `num` of the kept entries of `order`, -1 after the last."""
    size = order.shape[1]
    rank = ops.arange(size, dtype="int32")
    places = ops.sort(ops.where(kept, rank, size), axis=-1)[:, :num]
    found = gather(order, ops.minimum(places, size - 1))
    found = ops.where(places < size, found, -1)
    return ops.pad(found, [(0, 0), (0, max(num - size, 0))], constant_values=-1)
