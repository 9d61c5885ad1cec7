"""Suppression against a greedy loop in numpy."""

import numpy as np
import pytest

from kerasseg.detection.nms import nms


def iou(box, others):
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.maximum(high - low, 0).prod(1)
    areas = [np.maximum(x[..., 2:] - x[..., :2], 0).prod(-1) for x in (box, others)]
    return shared / np.maximum(areas[0] + areas[1] - shared, 1e-9)


def greedy(boxes, scores, classes, threshold, fast):
    """Best first; with `fast` the suppressed ones suppress too."""
    order = [i for i in np.argsort(-scores, kind="stable") if scores[i] > -np.inf]
    kept, seen = [], []
    for i in order:
        against = [j for j in (seen if fast else kept) if classes[j] == classes[i]]
        if not (iou(boxes[i], boxes[against].reshape(-1, 4)) > threshold).any():
            kept.append(i)
        seen.append(i)
    return kept


def cases(rng, images, num):
    """Crowded boxes at whole pixels, scores with ties, and some padding."""
    corners = rng.integers(0, 12, (images, num, 2))
    sides = rng.integers(0, 9, (images, num, 2))
    boxes = np.concatenate([corners, corners + sides], -1).astype("float32")
    scores = (rng.integers(0, 12, (images, num)) / 12).astype("float32")
    scores[rng.random(scores.shape) < 0.1] = -np.inf
    return boxes, scores, rng.integers(0, 3, (images, num))


@pytest.mark.parametrize("kind", ["exact", "fast"])
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 0.8])
def test_thousands_of_crowds_equal_the_greedy_loop(rng, kind, threshold):
    boxes, scores, classes = cases(rng, 500, 20)
    found = np.asarray(
        nms(
            boxes,
            scores,
            iou_threshold=threshold,
            max_output=25,
            classes=classes,
            kind=kind,
        )
    )
    for row, case in zip(found, zip(boxes, scores, classes)):
        expected = greedy(*case, threshold, kind == "fast")
        np.testing.assert_array_equal(row, expected + [-1] * (25 - len(expected)))


def test_one_large_crowd_equals_the_greedy_loop(rng):
    corners = rng.random((500, 2)) * 100
    boxes = np.concatenate([corners, corners + 5 + 20 * rng.random((500, 2))], 1)
    boxes, scores = boxes.astype("float32"), rng.random(500).astype("float32")
    expected = greedy(boxes, scores, np.zeros(500), 0.5, False)
    assert len(expected) > 100
    found = nms(boxes, scores, iou_threshold=0.5, max_output=100)
    np.testing.assert_array_equal(found, expected[:100])


def test_a_chain_of_boxes_keeps_every_second_one():
    # Box i overlaps only its neighbours, by 6 / 14: the longest way to the fixed point.
    left = 4.0 * np.arange(40)
    boxes = np.stack([left, 0 * left, left + 10, 0 * left + 1], 1)
    found = nms(boxes, -left, iou_threshold=0.4, max_output=40)
    np.testing.assert_array_equal(found, [*range(0, 40, 2)] + [-1] * 20)
    fast = nms(boxes, -left, iou_threshold=0.4, max_output=40, kind="fast")
    np.testing.assert_array_equal(fast, [0] + [-1] * 39)


def test_equal_scores_prefer_the_lower_index():
    boxes = np.array([[9, 9, 10, 10]] + [[0, 0, 4, 4]] * 3)
    found = nms(boxes, np.array([0.1, 0.7, 0.7, 0.7]), max_output=3)
    np.testing.assert_array_equal(found, [1, 0, -1])


def test_low_scores_and_nan_are_never_kept():
    boxes = np.array([[0, 0, 1, 1], [2, 2, 3, 3], [4, 4, 5, 5], [6, 6, 7, 7]])
    scores = np.array([np.nan, 0.2, 0.3, -np.inf])
    found = nms(boxes, scores, max_output=3)
    np.testing.assert_array_equal(found, [2, 1, -1])
    found = nms(boxes, scores, max_output=3, score_threshold=0.2)
    np.testing.assert_array_equal(found, [2, -1, -1])


def test_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="Received: kind='soft'"):
        nms(np.zeros([1, 4]), np.zeros(1), kind="soft")
