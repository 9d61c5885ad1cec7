"""Detections as tensors of fixed shape: multiclass NMS, padding, and model outputs."""

import inspect
from typing import Any, NamedTuple

import keras
from keras import ops

from kerasseg.detection.gather import gather
from kerasseg.detection.nms import nms
from kerasseg.names import check_options


class Detections(NamedTuple):
    """Detected objects of each image, best first, padded to K.

    boxes: float32 [N, K, 4] in pixels; 0 for padding.
    classes: int32 [N, K], 0..C-1, -1 for padding.
    scores: float32 [N, K] in 0..1; 0 for padding.
    rows: int32 [N, K], index of each among the candidates; 0 for padding.
    """

    boxes: Any
    classes: Any
    scores: Any
    rows: Any


def multiclass_nms(
    boxes,
    scores,
    *,
    score_threshold=0.05,
    iou_threshold=0.5,
    num_candidates=200,
    num_detections=100,
    kind="exact",
):
    """Class-wise non-maximum suppression, then the best of all classes together.

    Args:
        boxes: [N, A, 4], or [N, A, C, 4] with boxes of each class.
        scores: probabilities [N, A, C], without background.
        score_threshold: boxes of higher scores are detections; 0 or more.
        iou_threshold: boxes are suppressed by better ones of a higher IoU.
        num_candidates: number of boxes per class that enter the suppression; its memory
            grows with the square.
        num_detections: K, the most detections per image.
        kind: "exact" or "fast", see `nms`.

    Returns:
        `Detections`.

    Example:
        >>> boxes = np.array([[[0, 0, 4, 4], [0, 0, 4, 3], [8, 8, 9, 9]]], "float32")
        >>> scores = np.array([[[0.5, 0], [0.9, 0.6], [0, 0.01]]], "float32")
        >>> found = multiclass_nms(boxes, scores, num_detections=3)
        >>> [ops.convert_to_numpy(x).tolist() for x in (found.classes, found.rows)]
        [[[0, 1, -1]], [[1, 1, 0]]]
    """
    num_classes = scores.shape[2]
    boxes, scores, rows = _class_candidates(boxes, scores, num_candidates)
    num = rows.shape[2]
    kept = nms(
        ops.reshape(boxes, (-1, num, 4)),
        ops.reshape(scores, (-1, num)),
        iou_threshold=iou_threshold,
        score_threshold=score_threshold,
        max_output=num,
        kind=kind,
    )
    kept = ops.reshape(kept, (-1, num_classes * num))  # [N, C * num]
    first = ops.repeat(ops.arange(num_classes, dtype="int32") * num, num)
    # Padding, -1, reads the first candidate of its class, with score 0 below.
    places = first + ops.maximum(kept, 0)  # among the C * num candidates of an image
    flat = ops.reshape(scores, (-1, num_classes * num))
    scores = ops.where(kept >= 0, gather(flat, places), 0.0)
    scores, best = padded_top_k(scores, num_detections)
    places = gather(places, best)
    return detections(
        gather(ops.reshape(boxes, (-1, num_classes * num, 4)), places),
        places // num,
        scores,
        gather(ops.reshape(rows, (-1, num_classes * num)), places),
    )


def _class_candidates(boxes, scores, num):
    """The `num` best boxes of each class: boxes [N, C, num, 4], scores, rows of A."""
    num_boxes, num_classes = scores.shape[1:]
    num = min(num, num_boxes)
    scores, rows = ops.top_k(ops.swapaxes(scores, 1, 2), num)  # [N, C, num]
    rows = ops.cast(rows, "int32")
    places = rows
    if len(boxes.shape) == 4:  # boxes of each class, flattened to [N, A * C, 4]
        places = rows * num_classes + ops.arange(num_classes, dtype="int32")[:, None]
        boxes = ops.reshape(boxes, (-1, num_boxes * num_classes, 4))
    return gather(boxes, places), scores, rows


def merge_nms_options(defaults, given):
    """Keyword arguments of `multiclass_nms`: given ones over defaults.

    Args:
        defaults: dict.
        given: dict, or None.

    Returns:
        dict.

    Raises:
        ValueError: if `multiclass_nms` has no such argument; names the nearest.

    Example:
        >>> merge_nms_options({"kind": "fast"}, {"num_detections": 20})
        {'kind': 'fast', 'num_detections': 20}
    """
    parameters = inspect.signature(multiclass_nms).parameters.values()
    known = [x.name for x in parameters if x.kind is x.KEYWORD_ONLY]
    check_options(given or {}, known, "`nms`")
    return {**defaults, **(given or {})}


def padded_top_k(scores, num):
    """The `num` highest scores of each image, padded by 0 where there are fewer.

    Args:
        scores: [N, M].
        num: number of scores; may be larger than M.

    Returns:
        Scores float32 and their indices int32, both [N, num].

    Example:
        >>> scores, indices = padded_top_k(np.array([[0.5, 0.75]]), 3)
        >>> [ops.convert_to_numpy(x).tolist() for x in (scores, indices)]
        [[[0.75, 0.5, 0.0]], [[1, 0, 0]]]
    """
    missing = [(0, 0), (0, max(num - scores.shape[1], 0))]
    scores, rows = ops.top_k(scores, min(num, scores.shape[1]))
    return ops.pad(scores, missing), ops.pad(ops.cast(rows, "int32"), missing)


def detections(boxes, classes, scores, rows):
    """`Detections` from tensors [N, K]; those of score 0 become padding."""
    found = scores > 0
    return Detections(
        ops.where(ops.expand_dims(found, -1), boxes, 0.0),
        ops.where(found, classes, -1),
        scores,
        ops.where(found, rows, 0),
    )


def outputs(found, masks=None):
    """Output dict of an instance model.

    Args:
        found: `Detections`.
        masks: probabilities float32 [N, K, h, w]; None leaves them out.

    Returns:
        dict of boxes, classes, scores, num int32 [N] (the number of detections), and
        masks.
    """
    answer = {name: getattr(found, name) for name in ("boxes", "classes", "scores")}
    answer["num"] = ops.sum(ops.cast(found.classes >= 0, "int32"), axis=-1)
    return answer if masks is None else {**answer, "masks": masks}


def outputs_spec(batch, num, mask_size=None):
    """Shapes and dtypes of `outputs`: `compute_output_spec` of layers that return them.

    Args:
        batch: N, or None.
        num: K.
        mask_size: (height, width) of the masks; None for outputs without masks.
    """
    shapes = {
        "boxes": ((batch, num, 4), "float32"),
        "classes": ((batch, num), "int32"),
        "scores": ((batch, num), "float32"),
        "num": ((batch,), "int32"),
    }
    if mask_size is not None:
        shapes["masks"] = (batch, num, *mask_size), "float32"
    return {name: keras.KerasTensor(*spec) for name, spec in shapes.items()}
