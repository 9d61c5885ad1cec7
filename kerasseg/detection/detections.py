"""The best boxes of an image as tensors of fixed shape: what instance models return."""

import inspect
from typing import Any, NamedTuple

import keras
from keras import ops

from kerasseg.detection.gather import gather
from kerasseg.detection.nms import nms
from kerasseg.names import check_options


class Detections(NamedTuple):
    """Objects found in each image, best first, padded to K.

    boxes: float32 [N, K, 4] in pixels; 0 for padding.
    classes: int32 [N, K], 0..C-1, -1 for padding.
    scores: float32 [N, K] in 0..1; 0 for padding.
    rows: int32 [N, K], which of the candidates each one is; 0 for padding.
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
    """Non-maximum suppression class by class, and the best of all classes together.

    Args:
        boxes: [N, A, 4], or [N, A, C, 4] where each class has its own.
        scores: probabilities [N, A, C], no background.
        score_threshold: only what scores higher is found; 0 or more.
        iou_threshold: a box is suppressed where the IoU exceeds it.
        num_candidates: of each class only so many enter the suppression, whose memory
            grows with the square of it.
        num_detections: K.
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
    num_boxes, num_classes = scores.shape[1:]
    num = min(num_candidates, num_boxes)
    scores, rows = ops.top_k(ops.swapaxes(scores, 1, 2), num)  # [N, C, num]
    rows = ops.cast(rows, "int32")
    if len(boxes.shape) == 4:
        places = rows * num_classes + ops.arange(num_classes, dtype="int32")[:, None]
        boxes = ops.reshape(boxes, (-1, num_boxes * num_classes, 4))
    else:
        places = rows
    boxes = gather(boxes, places)  # [N, C, num, 4]
    kept = nms(
        ops.reshape(boxes, (-1, num, 4)),
        ops.reshape(scores, (-1, num)),
        iou_threshold=iou_threshold,
        score_threshold=score_threshold,
        max_output=num,
        kind=kind,
    )
    kept = ops.reshape(kept, (-1, num_classes * num))
    first = ops.repeat(ops.arange(num_classes, dtype="int32") * num, num)
    places = first + ops.maximum(kept, 0)  # among the C * num candidates of an image
    flat = ops.reshape(scores, (-1, num_classes * num))
    scores = ops.where(kept >= 0, gather(flat, places), 0.0)
    scores, best = best_of(scores, num_detections)
    places = gather(places, best)
    return detections(
        gather(ops.reshape(boxes, (-1, num_classes * num, 4)), places),
        places // num,
        scores,
        gather(ops.reshape(rows, (-1, num_classes * num)), places),
    )


def merge_nms_options(defaults, given):
    """Arguments of `multiclass_nms`: what is given, and defaults for the rest.

    Args:
        defaults: dict.
        given: dict, or None.

    Raises:
        ValueError: if `multiclass_nms` does not know one; names the nearest.

    Example:
        >>> merge_nms_options({"kind": "fast"}, {"num_detections": 20})
        {'kind': 'fast', 'num_detections': 20}
    """
    parameters = inspect.signature(multiclass_nms).parameters.values()
    known = [x.name for x in parameters if x.kind is x.KEYWORD_ONLY]
    check_options(given or {}, known, "`nms`")
    return {**defaults, **(given or {})}


def best_of(scores, num):
    """The highest scores of each image, and where they are.

    Args:
        scores: [N, M], 0 for what must not be found.
        num: how many to return; zeros fill up where M is smaller.

    Returns:
        float32 and int32 [N, num].
    """
    missing = [(0, 0), (0, max(num - scores.shape[1], 0))]
    scores, rows = ops.top_k(scores, min(num, scores.shape[1]))
    return ops.pad(scores, missing), ops.pad(ops.cast(rows, "int32"), missing)


def detections(boxes, classes, scores, rows):
    """`Detections` of [N, K] candidates; those of score 0 become padding."""
    found = scores > 0
    return Detections(
        ops.where(ops.expand_dims(found, -1), boxes, 0.0),
        ops.where(found, classes, -1),
        scores,
        ops.where(found, rows, 0),
    )


def outputs(found, masks=None):
    """What an instance model returns.

    Args:
        found: `Detections`.
        masks: probabilities float32 [N, K, h, w]; None leaves them out.

    Returns:
        dict of boxes, classes, scores, num int32 [N] (how many were found), and masks.
    """
    answer = {name: getattr(found, name) for name in ("boxes", "classes", "scores")}
    answer["num"] = ops.sum(ops.cast(found.classes >= 0, "int32"), axis=-1)
    return answer if masks is None else {**answer, "masks": masks}


def outputs_spec(batch, num, canvas=None):
    """Shapes and types of `outputs`, for layers that return them.

    Args:
        batch: N, or None.
        num: K.
        canvas: (height, width) of the masks, or None.
    """
    shapes = {
        "boxes": ((batch, num, 4), "float32"),
        "classes": ((batch, num), "int32"),
        "scores": ((batch, num), "float32"),
        "num": ((batch,), "int32"),
    }
    if canvas is not None:
        shapes["masks"] = (batch, num, *canvas), "float32"
    return {name: keras.KerasTensor(*spec) for name, spec in shapes.items()}
