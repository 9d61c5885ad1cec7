"""Non-maximum suppression (NMS) of boxes."""

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
    """Indices of the boxes that non-maximum suppression keeps, best first.

    A box is suppressed by a better one: of higher score, or of the same score and lower
    index. Time and memory grow with the square of M; no shape depends on values.

    Args:
        boxes: float [M, 4] or [N, M, 4].
        scores: float [M] or [N, M]. Rows of score -inf or NaN, such as padding, are
            never kept.
        iou_threshold: boxes are suppressed by better ones of a higher IoU.
        max_output: number of indices that are returned.
        score_threshold: boxes of lower or equal scores are never kept; None for no
            limit.
        classes: int [M] or [N, M]; only boxes of the same class suppress each other.
            None: one class.
        kind: "exact" is the usual greedy algorithm, in which suppressed boxes suppress
            no others. "fast": they do (Fast NMS of YOLACT), which keeps fewer boxes and
            takes one step instead of a few.

    Returns:
        int32 [max_output] or [N, max_output], padded by -1.

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
    low = -float("inf") if score_threshold is None else score_threshold
    candidates = scores > low  # False for NaN
    # A stable sort (TensorFlow, JAX, torch): equal scores keep the order of indices.
    order = ops.argsort(ops.where(candidates, -scores, float("inf")), axis=-1)
    order = ops.cast(order, "int32")
    suppresses = _overlaps(boxes, classes, order, iou_threshold)
    candidates = gather(candidates, order)
    if kind == "exact":
        kept = _greedy_fixed_point(suppresses, candidates)
    else:
        kept = _unsuppressed(suppresses, candidates, candidates)
    found = _first(order, kept, max_output)
    return found[0] if single else found


def _overlaps(boxes, classes, order, threshold):
    """Whether box i would suppress box j, in the order of scores: float [N, M, M]."""
    boxes = gather(boxes, order)
    suppresses = geometry.iou(boxes[:, :, None], boxes[:, None]) > threshold
    if classes is not None:
        classes = gather(ops.convert_to_tensor(classes), order)
        same = classes[:, :, None] == classes[:, None]
        suppresses = ops.logical_and(suppresses, same)
    rank = ops.arange(boxes.shape[1], dtype="int32")
    return ops.cast(ops.logical_and(suppresses, rank[:, None] < rank), "float32")


def _unsuppressed(suppresses, kept, candidates):
    """Candidates that no box of `kept` suppresses: bool [N, M]."""
    # A product counts suppressors on every backend, XLA's too; `any` over [N, M, M]
    # would hold another table of that size.
    num = ops.matmul(ops.cast(kept, "float32")[:, None], suppresses)[:, 0]
    return ops.logical_and(candidates, num == 0)


def _greedy_fixed_point(suppresses, candidates):
    """Greedy NMS by fixed-point iteration: kept is what no kept box suppresses.

    The best box is right from the start, and every box is right one step after all
    better ones are, so that the only fixed point is the greedy result. Chains of boxes
    that suppress each other are short: a few steps suffice for any number of boxes,
    where the greedy loop takes one per box.
    """

    def changes(before, kept):
        return ops.any(before != kept)

    def step(_, kept):
        return kept, _unsuppressed(suppresses, kept, candidates)

    other = ops.logical_not(candidates)  # differs, so that there is a first step
    return ops.while_loop(changes, step, (other, candidates))[1]


def _first(order, kept, num):
    """First `num` of the kept entries of `order`, padded by -1."""
    size = order.shape[1]
    rank = ops.arange(size, dtype="int32")
    places = ops.sort(ops.where(kept, rank, size), axis=-1)[:, :num]
    found = gather(order, ops.minimum(places, size - 1))
    found = ops.where(places < size, found, -1)
    return ops.pad(found, [(0, 0), (0, max(num - size, 0))], constant_values=-1)
