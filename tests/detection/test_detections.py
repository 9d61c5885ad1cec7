"""Selection of the best boxes of all classes, against a loop in numpy."""

import numpy as np
import pytest

from kerasseg.detection import mask_grid
from kerasseg.detection.detections import multiclass_nms


def overlap(a, b):
    shared = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0).prod()
    areas = [(x[2] - x[0]) * (x[3] - x[1]) for x in (a, b)]
    return shared / (sum(areas) - shared)


def greedy(boxes, scores, threshold):
    """(score, class, row) of what is found, best first; boxes [A, C, 4]."""
    found = []
    for class_id in range(scores.shape[1]):
        kept = []
        for row in np.argsort(-scores[:, class_id], kind="stable"):
            box = boxes[row, class_id]
            alone = all(overlap(box, boxes[k, class_id]) <= 0.5 for k in kept)
            if scores[row, class_id] > threshold and alone:
                kept.append(row)
        found += [(scores[row, class_id], class_id, row) for row in kept]
    return sorted(found, reverse=True)


@pytest.mark.parametrize("of_each_class", [False, True])
def test_the_best_of_all_classes_are_found(rng, of_each_class):
    corners = rng.uniform(0, 20, (2, 15, 3, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(4, 15, corners.shape)], -1)
    if not of_each_class:
        boxes = np.repeat(boxes[:, :, :1], 3, 2)
    scores = rng.random((2, 15, 3)).astype("float32")
    given = boxes if of_each_class else boxes[:, :, 0]
    found = multiclass_nms(given, scores, score_threshold=0.3, num_detections=12)
    for n in range(2):
        expected = greedy(boxes[n], scores[n], 0.3)[:12]
        values, classes, rows = zip(*expected)
        size = len(expected)
        np.testing.assert_allclose(found.scores[n, :size], values, rtol=1e-6)
        assert np.array(found.classes)[n, :size].tolist() == list(classes)
        assert np.array(found.rows)[n, :size].tolist() == list(rows)
        of_found = boxes[n, list(rows), list(classes)]
        np.testing.assert_allclose(found.boxes[n, :size], of_found, rtol=1e-6)


def test_what_is_missing_is_padding(rng):
    boxes = np.array([[[0, 0, 4, 4], [8, 8, 12, 12]]], "float32")
    scores = np.array([[[0.9, 0.2], [0.01, 0.02]]], "float32")
    found = multiclass_nms(
        boxes, scores, num_detections=6
    )  # more than there are candidates
    assert np.array(found.classes).tolist() == [[0, 1, -1, -1, -1, -1]]
    np.testing.assert_array_equal(found.scores[0, 2:], 0)
    np.testing.assert_array_equal(found.boxes[0, 2:], 0)


@pytest.mark.parametrize("size", [(64, 65), (0, 32), (64,), (64.0, 64)])
def test_image_sizes_that_do_not_halve_five_times_are_refused(size):
    with pytest.raises(ValueError, match="Received: image_size="):
        mask_grid.mask_size(size)
