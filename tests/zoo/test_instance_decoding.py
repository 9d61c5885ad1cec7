"""From raw predictions to objects, worked out by hand on images of 64 pixels."""

import numpy as np

from kerasseg.detection.two_stage import PasteMasks, Proposals, RoiDetections
from kerasseg.zoo.center_mask import CenterDetections
from kerasseg.zoo.yolact import YolactDetections

SIZE = (64, 64)
CANVAS = (16, 16)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def inside(box):
    """Canvas pixels whose centres lie in a box of image pixels."""
    y, x = (np.indices(CANVAS) + 0.5) * 4
    x1, y1, x2, y2 = np.array(box)
    return (x >= x1) & (x < x2) & (y >= y1) & (y < y2)


def test_peaks_of_the_heatmap_become_boxes_and_shape_times_saliency_masks():
    heatmap = np.full([1, *CANVAS, 2], -9.0, "float32")
    heatmap[0, 3, 5, 1], heatmap[0, 3, 6, 1] = 3, 2  # the second is no peak
    heatmap[0, 3, 14, 0] = 1
    ones = np.ones([1, *CANVAS, 1], "float32")
    # Columns from 5 on are salient.
    saliency = np.where(np.arange(16)[:, None] >= 5, 20 * ones, -20 * ones)
    detect = CenterDetections(SIZE, score_threshold=0.05, num_detections=3)
    found = detect(
        [
            heatmap,
            ones * np.array([4, 2]),  # pixels of the canvas
            ones * np.array([0.5, 0.25]),
            ones * np.full([4], 20.0),  # a shape of 2 x 2
            saliency,
        ]
    )
    # Centres at ((5 + 0.5) * 4, (3 + 0.25) * 4) = (22, 13) and (58, 13).
    boxes = [[14, 9, 30, 17], [50, 9, 64, 17], [0, 0, 0, 0]]
    np.testing.assert_allclose(found["boxes"][0], boxes, atol=1e-4)
    assert np.array(found["classes"]).tolist() == [[1, 0, -1]]
    np.testing.assert_allclose(found["scores"][0], [sigmoid(3), sigmoid(1), 0], 1e-5)
    masks = np.array(found["masks"])[0] > 0.5
    salient = np.arange(16) >= 5
    for mask, box in zip(masks, boxes):
        np.testing.assert_array_equal(mask, inside(box) & salient)


def test_an_anchor_becomes_a_box_and_its_coefficients_a_mask():
    detect = YolactDetections(SIZE, [4, 8, 24, 32, 48], {"num_detections": 2})
    num = len(detect.anchors)
    areas = np.prod(detect.anchors[:, 2:] - detect.anchors[:, :2], 1)
    whole = (detect.anchors.min(1) >= 0) & (detect.anchors.max(1) <= 64)
    chosen = np.argmax(areas * whole)
    logits = np.tile(np.array([5, 0, 0], "float32"), (1, num, 1))
    logits[0, chosen] = [0, 0, 5]
    deltas = np.zeros([1, num, 4], "float32")
    deltas[0, chosen, 2] = 5 * np.log(0.5)  # half as wide: weight 5
    coefficients = np.zeros([1, num, 2], "float32")
    coefficients[0, chosen] = [1, -1]
    prototypes = np.zeros([1, *CANVAS, 2], "float32")
    prototypes[0, :7, :, 0] = prototypes[0, 7:, :, 1] = 20
    found = detect([logits, deltas, coefficients, prototypes])
    x1, y1, x2, y2 = detect.anchors[chosen]
    box = [x1 + (x2 - x1) / 4, y1, x2 - (x2 - x1) / 4, y2]
    np.testing.assert_allclose(found["boxes"][0, 0], box, rtol=1e-5)
    assert np.array(found["classes"]).tolist() == [[1, -1]]
    top = np.arange(16)[:, None] < 7
    mask = np.array(found["masks"])[0, 0] > 0.5
    assert mask.any()
    np.testing.assert_array_equal(mask, inside(box) & top)


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
