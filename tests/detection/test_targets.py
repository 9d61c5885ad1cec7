"""Targets on small scenes, worked out by hand or in numpy."""

import numpy as np
import pytest

from kerasseg.detection import boxes as geometry
from kerasseg.detection.targets import (
    anchor_targets,
    center_targets,
    gaussian_radius,
    roi_targets,
)

# Two objects and padding; an image without objects.
BOXES = np.array([[[0, 0, 10, 10], [20, 0, 30, 20], [0] * 4], [[0] * 4] * 3], "float32")
CLASSES = np.array([[2, 0, -1], [-1, -1, -1]])


def test_anchors_learn_their_object_and_the_way_to_it():
    # IoU 1 with the first, 10 x 10 of 20 x 10 / 2 with the second, 9 / 11, and none.
    anchors = np.array([[0, 0, 10, 10], [20, 0, 30, 10], [1, 0, 11, 10], [40] * 4])
    found = anchor_targets(
        anchors, BOXES, CLASSES, low_threshold=0.3, high_threshold=0.7
    )
    np.testing.assert_array_equal(found.labels, [[1, -1, 1, 0], [0] * 4])
    np.testing.assert_array_equal(found.classes, [[3, 0, 3, 0], [0] * 4])
    np.testing.assert_array_equal(np.asarray(found.objects)[0, :3], [0, 1, 0])
    expected = [[0] * 4, [0, 0.5, 0, np.log(2)], [-0.1, 0, 0, 0]]
    np.testing.assert_allclose(found.deltas[0, :3], expected, atol=1e-6)
    assert np.isfinite(found.deltas).all()
    found = anchor_targets(
        anchors,
        BOXES,
        CLASSES,
        low_threshold=0.3,
        high_threshold=0.7,
        low_quality_matches="ties",
    )
    np.testing.assert_array_equal(found.labels[0], [1, 1, 1, 0])


def test_second_stage_samples_objects_themselves_and_no_padding():
    # Near the second object, far from all, and padding.
    row = [[20, 0, 30, 18], [60, 60, 80, 80], [0] * 4]
    proposals = np.array([row, row], "float32")
    rois, found, weights = roi_targets(
        proposals, BOXES, CLASSES, num=8, positive_fraction=0.5, seed=1
    )
    # Three positives (the proposal and the two objects), then the one far away.
    np.testing.assert_array_equal(weights, [[1] * 4 + [0] * 4, [1] * 2 + [0] * 6])
    np.testing.assert_array_equal(np.sort(found.classes[0, :3]), [1, 1, 3])
    np.testing.assert_array_equal(found.classes[0, 3], 0)
    np.testing.assert_array_equal(rois[0, 3], row[1])
    np.testing.assert_array_equal(found.labels[1, :2], [0, 0])
    again = geometry.decode(found.deltas, rois, (10.0, 10.0, 5.0, 5.0))
    objects = np.asarray(found.objects)[0, :3]
    np.testing.assert_allclose(again[0, :3], BOXES[0][objects], atol=1e-4)


def iou_of_corners(box, other):
    low, high = np.maximum(box[:2], other[:2]), np.minimum(box[2:], other[2:])
    shared = np.prod(high - low)
    return shared / (
        np.prod(box[2:] - box[:2]) + np.prod(other[2:] - other[:2]) - shared
    )


@pytest.mark.parametrize(("width", "height"), [(10, 10), (40, 3), (5, 90)])
def test_within_the_radius_all_three_cases_keep_the_overlap(width, height):
    box, r = np.array([0, 0, width, height]), float(gaussian_radius(width, height))
    moves = np.array([[1, 1, 1, 1], [1, 1, -1, -1], [-1, -1, 1, 1]])
    overlaps = [iou_of_corners(box, box + r * move) for move in moves]
    assert min(overlaps) == pytest.approx(0.7, abs=1e-4)  # of the tightest case
    overlaps = [iou_of_corners(box, box + 1.01 * r * move) for move in moves]
    assert min(overlaps) < 0.7


def test_centres_carry_gaussians_joined_by_the_maximum():
    boxes = np.array([[[8, 4, 40, 36], [16, 8, 48, 40], [50, 0, 54, 4], [0] * 4]])
    classes = np.array([[1, 1, 0, -1]])
    found = center_targets(boxes, classes, num_classes=3, size=(12, 16))
    # Features of stride 4: centres (6, 5), (8, 6) and (13, .5); sides 8, 8 and 1.
    np.testing.assert_array_equal(found.positions, [[5 * 16 + 6, 6 * 16 + 8, 13, 0]])
    np.testing.assert_allclose(found.sizes[0], [[8, 8], [8, 8], [1, 1], [0, 0]])
    np.testing.assert_allclose(found.offsets[0, :3], [[0, 0], [0, 0], [0, 0.5]])
    np.testing.assert_array_equal(found.weights, [[1, 1, 1, 0]])
    # The radius of a square of 8: within it, 4 r^2 - 32 r + 19.2 = 0, r = 0.65.
    expected = np.zeros([12, 16, 3])
    y, x = np.mgrid[:12, :16]
    for (cx, cy), class_id in [((6, 5), 1), ((8, 6), 1), ((13, 0), 0)]:
        bell = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * (1 / 6) ** 2))
        expected[..., class_id] = np.maximum(expected[..., class_id], bell)
    np.testing.assert_allclose(found.heatmap[0], expected, atol=1e-6)


def test_large_objects_have_wide_gaussians():
    box = np.array([[[0, 0, 400, 400]]])  # 100 on the features
    found = center_targets(box, np.array([[0]]), num_classes=1, size=(100, 100))
    # 4 r^2 - 400 r + 3000 = 0: r = 8.17, so 8, and sigma = 17 / 6.
    row = np.asarray(found.heatmap)[0, 50, :, 0]
    expected = np.exp(-((np.arange(100) - 50) ** 2) / (2 * (17 / 6) ** 2))
    np.testing.assert_allclose(row, expected, atol=1e-6)


def test_images_without_objects_have_empty_heatmaps():
    found = center_targets(BOXES[1:], CLASSES[1:], num_classes=2, size=(4, 5))
    np.testing.assert_array_equal(found.heatmap, np.zeros([1, 4, 5, 2]))
    np.testing.assert_array_equal(found.weights, [[0, 0, 0]])
