"""Mask R-CNN: its two stages worked out by hand, and its options."""

import numpy as np

from kerasseg.detection.two_stage import PasteMasks, Proposals, RoiDetections
from tests.contracts.objects import SIZE as SIDE
from tests.contracts.objects import assert_the_loss_reaches_every_weight, build
from tests.zoo.mask_grid import SIZE, inside


def test_proposals_are_the_best_anchors_of_all_levels_without_near_doubles():
    propose = Proposals(SIZE, [16] * 5, num=6, iou_threshold=0.5)
    sizes = [3 * (64 // stride) ** 2 for stride in (4, 8, 16, 32, 64)]
    logits = np.full([1, sum(sizes), 1], -9.0, "float32")
    first = 3 * (8 * 16 + 8) + 1  # level 2, row 8, column 8, the square one
    beside = first + 3  # one pixel of stride 4 to the right: IoU 12 / 20
    coarse = sizes[0] + sizes[1] + 3 * (1 * 4 + 2) + 1  # level 4, row 1, column 2
    logits[0, [first, beside, coarse], 0] = [3, 2, 1]
    ends = np.cumsum(sizes)[:-1]
    deltas = np.zeros([1, sum(sizes), 4], "float32")
    found = np.array(propose([np.split(x, ends, 1) for x in (logits, deltas)]))[0]
    np.testing.assert_allclose(found[0], [26, 26, 42, 42])  # around (34, 34)
    np.testing.assert_allclose(found[1], [32, 16, 48, 32])  # around (40, 24)
    assert not any(np.allclose(box, [30, 26, 46, 42]) for box in found)
    assert found.min() >= 0
    assert found.max() <= 64


def test_a_second_stage_moves_boxes_by_class_and_skips_padded_proposals():
    rois = np.array([[[8, 8, 24, 16], [0, 0, 0, 0]]], "float32")
    logits = np.array([[0, -9, 9], [0, -9, 9]], "float32")  # background, 0, 1
    deltas = np.zeros([2, 3, 4], "float32")
    deltas[0, 1], deltas[0, 2, 0] = 7, 10 * 0.5  # class 1 by half a width: weight 10
    detect = RoiDetections(SIZE, {"num_detections": 2})
    found = detect([rois, logits, deltas])
    np.testing.assert_allclose(found["boxes"][0], [[16, 8, 32, 16], [0, 0, 0, 0]])
    assert np.array(found["classes"]).tolist() == [[1, -1]]
    assert np.array(found["num"]).tolist() == [1]


def test_masks_come_from_the_channel_of_the_class():
    logits = np.full([2, 4, 4, 3], -20.0, "float32")
    logits[0, :, :2, 2] = 20  # left half, class 1
    logits[1, ..., 0] = 20  # background
    boxes = np.array([[[8, 8, 40, 24], [0, 0, 0, 0]]], "float32")
    found = PasteMasks(SIZE)([logits, np.array([[1, -1]]), boxes])
    masks = np.array(found)[0] > 0.5
    np.testing.assert_array_equal(masks[0], inside([8, 8, 24, 24]))
    assert not masks[1].any()


def test_a_larger_canonical_box_is_read_from_finer_features():
    """Of all levels but the finest nothing reaches the second stage any more."""
    model = build("mask_rcnn", canonical_box=4.0)
    heads = [model.get_layer(f"{name}_features") for name in ("box", "mask")]
    pyramid = [np.full((1, 2**n, 2**n, 1), n, "float32") for n in (5, 4, 3, 2)]
    rois = np.array([[[0, 0, SIDE, SIDE], [8, 8, 16, 16]]], "float32")
    for head in heads:
        np.testing.assert_allclose(head([*pyramid, rois]), 5, rtol=1e-6)


def test_mask_rcnn_is_normalised_when_asked():
    model = build("mask_rcnn", norm="group")
    for part in ("fpn", "rpn_head", "mask_head"):
        kinds = {type(layer).__name__ for layer in model.get_layer(part).layers}
        assert "GroupNormalization" in kinds
    assert_the_loss_reaches_every_weight(model)
