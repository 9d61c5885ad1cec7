"""Differences of answers, on objects that a person can check."""

import numpy as np
import pytest

from kerasseg.tasks import differences


def objects(*boxes, classes=None, score=0.9):
    """Answers of an instance model: boxes [x1, y1, x2, y2], filled, on 8 x 8 pixels."""
    padding = 3 - len(boxes)
    masks = np.zeros([1, 3, 8, 8], "float32")
    for mask, (x1, y1, x2, y2) in zip(masks[0], boxes):
        mask[y1:y2, x1:x2] = 1
    classes = [*(classes or [0] * len(boxes)), *[-1] * padding]
    scores = [score - 0.05 * i for i in range(len(boxes))] + [0] * padding
    return {
        "boxes": np.array([[*boxes, *[(0, 0, 0, 0)] * padding]], "float32"),
        "classes": np.array([classes]),
        "scores": np.array([scores], "float32"),
        "masks": masks,
        "num": np.array([len(boxes)]),
    }


A, B = (0, 0, 4, 4), (4, 4, 8, 8)


def test_the_order_of_objects_does_not_matter():
    one = objects(A, B)
    other = {**objects(B, A), "scores": one["scores"]}
    assert differences.of_detections(one, other) == {
        "agreement": 1.0,
        "error": 0.0,
        "iou": 1.0,
    }


@pytest.mark.parametrize("score", [0.9, 0.2])  # untrained models score low
def test_a_missing_and_a_moved_object_count(score):
    one = objects(A, B, score=score)
    assert differences.of_detections(one, objects(A, score=score))["agreement"] == 0.5
    # 8 of 24 pixels in common, of the mask and of the box.
    moved = differences.of_detections(objects(A), objects((2, 0, 6, 4)))
    assert moved["agreement"] == 0 and moved["iou"] == pytest.approx(8 / 24)


def test_boxes_of_another_scale_count_though_masks_are_equal():
    one = objects(A, B)
    other = {**one, "boxes": 2 * one["boxes"]}
    assert differences.of_detections(one, other)["iou"] <= 0.25


def test_classes_that_differ_are_other_objects():
    found = differences.of_detections(objects(A), objects(A, classes=[1]))
    assert found["agreement"] == 0 and found["iou"] == 0


def test_maps_are_compared_by_class_and_by_their_largest_number():
    one = {
        "logits": np.array([[[[1.0], [-2.0], [3.0], [-4.0]]]]),
        "distances": np.array([[[[10.0, 20.0]] * 4]]),
    }
    other = {"logits": one["logits"] * [[[[1], [-1], [1], [1]]]]}
    other["distances"] = one["distances"] + 1
    found = differences.of_maps(one, other)
    assert found["agreement"] == 0.75
    assert found["error"] == 1.0  # 4 of 4 in logits, 1 of 20 in distances
    # Objects: 2 of 3 pixels; the rest: 1 of 2.
    assert found["iou"] == pytest.approx((2 / 3 + 1 / 2) / 2)
