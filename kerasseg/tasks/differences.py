"""Differences between what a model answers and what a copy of it does, elsewhere.

Each function takes the answers for one image, dicts of arrays [1, ...], and returns
"agreement", the share of equal answers; "error", the largest difference of numbers; and
"iou" of what was found, 1 where both are the same, None where nothing was.
"""

import numpy as np

SHOWN = 0.3  # objects of this score count, as in prediction
FEWEST = 10  # and so many, the best ones, whatever they score
SAME = 0.5  # IoU of masks, and of boxes, from which two objects are the same


def of_class_maps(expected, found):
    """Compare `class_ids` and `confidence`, see `semantic.OUTPUTS`.

    Example:
        >>> sure = np.ones([1, 1, 4], "float32")
        >>> one = {"class_ids": np.array([[[0, 0, 1, 1]]]), "confidence": sure}
        >>> other = {"class_ids": np.array([[[0, 0, 0, 1]]]), "confidence": sure - 0.25}
        >>> of_class_maps(one, other)  # class 0: 2 of 3 pixels, class 1: 1 of 2
        {'agreement': 0.75, 'error': 0.25, 'iou': 0.5833333333333333}
    """
    error = _largest(expected["confidence"] - found["confidence"])
    return _of_ids(expected["class_ids"], found["class_ids"], error)


def of_maps(expected, found):
    """Compare maps with `logits`, those of `zoo.stardist` and `zoo.panoptic_deeplab`.

    "error" is relative to the largest number of its map.
    """
    errors = [
        _largest(values - found[name]) / max(_largest(values), 1e-6)
        for name, values in expected.items()
    ]
    ids = [
        x.argmax(-1) if x.shape[-1] > 1 else (x[..., 0] > 0).astype("int32")
        for x in (expected["logits"], found["logits"])
    ]
    return _of_ids(*ids, max(errors))


def of_detections(expected, found):
    """Compare objects, see `instance.OUTPUTS`: "agreement" is the share found again.

    Two objects are as alike as their masks or their boxes are, whichever is less.
    """
    error = _largest(expected["scores"] - found["scores"])
    least = min(SHOWN, expected["scores"][0][:FEWEST].min(initial=SHOWN))
    # Objects near the limit may be on either side of it.
    own, others = (
        [
            (class_id, mask > 0.5, box)
            for class_id, score, mask, box in zip(*(x[key][0] for key in KEYS))
            if score >= limit and class_id >= 0
        ]
        for x, limit in ((expected, least), (found, least - 2 * error))
    )
    if not own:
        return {"agreement": float(not others), "error": error, "iou": None}
    best = [max((_alike(one, x) for x in others), default=0.0) for one in own]
    agreement = float(np.mean(np.array(best) >= SAME))
    return {"agreement": agreement, "error": error, "iou": float(np.mean(best))}


KEYS = ("classes", "scores", "masks", "boxes")


def _alike(one, other):
    """The least IoU of masks and boxes of two objects; 0 where classes differ."""
    if one[0] != other[0]:
        return 0.0
    inner = np.minimum(one[2][2:], other[2][2:]) - np.maximum(one[2][:2], other[2][:2])
    overlap = np.prod(np.maximum(inner, 0))
    areas = (np.prod(np.maximum(x[2][2:] - x[2][:2], 0)) for x in (one, other))
    union = sum(areas) - overlap
    boxes = overlap / union if union > 0 else float(np.allclose(one[2], other[2], 1e-3))
    return min(_iou(one[1], other[1]), float(boxes))


def _of_ids(expected, found, error):
    from kerasseg import metrics

    num = int(max(expected.max(), found.max())) + 1
    matrix = metrics.confusion_matrix(expected, found, num, ignore_label=None)
    agreement = float(np.mean(expected == found))
    return {
        "agreement": agreement,
        "error": error,
        "iou": float(metrics.mean_iou(matrix)),
    }


def _iou(mask, other):
    union = np.count_nonzero(mask | other)
    return np.count_nonzero(mask & other) / union if union else 1.0


def _largest(values):
    """The largest absolute number, NaN if there is one; 0 of nothing."""
    return float(np.abs(values).max(initial=0))
