"""YOLACT: from raw predictions to objects, worked out by hand."""

import numpy as np

from kerasseg.zoo.yolact import YolactDetections
from tests.zoo.mask_grid import MASK_SIZE, SIZE, inside


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
    prototypes = np.zeros([1, *MASK_SIZE, 2], "float32")
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
