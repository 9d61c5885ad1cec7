"""Boxes against torchvision's published numbers and against counted pixels."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kerasseg.detection import boxes

# The two sets of boxes of torchvision's tests of box_iou and generalized_box_iou.
WHOLE = np.array([[0, 0, 100, 100], [0, 0, 50, 50], [200, 200, 300, 300]], "float32")
CLOSE = np.array(
    [
        [285.3538, 185.5758, 1193.5110, 851.4551],
        [285.1472, 188.7374, 1192.4984, 851.0669],
        [279.2440, 197.9812, 1189.4746, 849.2019],
    ],
    "float32",
)
integer_boxes = arrays("int64", (12, 4), elements=st.integers(0, 9))


def count_pixels(box):
    """Mask of a box in 10 x 10 pixels."""
    x1, y1, x2, y2 = box
    mask = np.zeros([10, 10], bool)
    mask[y1:y2, x1:x2] = True
    return mask


NEAR_ONE = [[1, 0.9933, 0.9673], [0.9933, 1, 0.9737], [0.9673, 0.9737, 1]]


@pytest.mark.parametrize(
    ("function", "given_boxes", "expected", "tolerance"),
    [
        (boxes.iou, WHOLE, [[1, 0.25, 0], [0.25, 1, 0], [0, 0, 1]], 1e-4),
        (boxes.iou, CLOSE, NEAR_ONE, 1e-4),
        (
            boxes.giou,
            WHOLE,
            [[1, 0.25, -0.7778], [0.25, 1, -0.8611], [-0.7778, -0.8611, 1]],
            1e-4,
        ),
        (boxes.giou, CLOSE, NEAR_ONE, 1e-3),  # published with this tolerance
    ],
)
def test_overlaps_have_torchvisions_values(function, given_boxes, expected, tolerance):
    table = function(given_boxes[:, None], given_boxes)
    np.testing.assert_allclose(table, expected, atol=tolerance)


@settings(max_examples=20, deadline=None)
@given(integer_boxes, integer_boxes)
def test_areas_and_overlaps_are_numbers_of_pixels(a, b):
    a, b = np.sort(a.reshape(-1, 2, 2), 1), np.sort(b.reshape(-1, 2, 2), 1)
    a, b = a.reshape(-1, 4), b.reshape(-1, 4)
    ins, outs = [np.array([count_pixels(box) for box in x]) for x in (a, b)]
    shared, union = (ins & outs).sum((1, 2)), (ins | outs).sum((1, 2))
    np.testing.assert_array_equal(boxes.area(a), ins.sum((1, 2)))
    expected = shared / np.maximum(union, 1)
    np.testing.assert_allclose(boxes.iou(a, b), expected, rtol=1e-6)
    lows, highs = np.minimum(a, b)[:, :2], np.maximum(a, b)[:, 2:]
    hull = (highs - lows).prod(1)
    expected = expected - np.maximum(hull - union, 0) / np.maximum(hull, 1)
    np.testing.assert_allclose(boxes.giou(a, b), expected, rtol=1e-6, atol=1e-6)


def test_degenerate_boxes_have_finite_overlaps_and_gradients():
    odd = [[0, 0, 0, 0], [3, 3, 3, 9], [5, 5, 2, 2], [0, 0, 1e-6, 1e-6], [-9, 1, 8, 7]]
    a = tf.Variable(np.repeat(odd, len(odd), 0).astype("float32"))
    b = np.tile(np.array(odd, "float32"), (len(odd), 1))
    with tf.GradientTape(persistent=True) as tape:
        values = [boxes.iou(a, b), boxes.giou(a, b), boxes.encode(a, b)]
        values.append(boxes.decode(a, b))
    for value in values:
        assert np.isfinite(value).all()
        assert np.isfinite(tape.gradient(value, a)).all()
    assert np.abs(values[1]).max() <= 1


def test_boxes_are_clipped_to_the_image():
    clipped = boxes.clip(np.array([[-5, 2, 3, 99], [30, -8, 40, -1]]), (10, 20))
    np.testing.assert_array_equal(clipped, [[0, 2, 3, 10], [20, 0, 20, 0]])


def test_deltas_are_moves_in_sides_and_logarithms_of_ratios():
    # Centres (5, 10) and (15, 15), sides 10 x 20 and 20 x 10.
    anchor, box = np.array([0, 0, 10, 20]), np.array([5, 10, 25, 20])
    expected = [10 * 1.0, 10 * 0.25, 5 * np.log(2), -5 * np.log(2)]
    weights = (10, 10, 5, 5)
    found = boxes.encode(box, anchor, weights)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(boxes.decode(found, anchor, weights), box, rtol=1e-6)


@settings(max_examples=20, deadline=None)
@given(integer_boxes, integer_boxes)
def test_decoding_undoes_encoding(a, b):
    a, b = np.sort(a.reshape(-1, 2, 2), 1), np.sort(b.reshape(-1, 2, 2), 1)
    longer = np.array([0, 0, 1, 1])  # sides of 1 or more
    a, b = a.reshape(-1, 4) + longer, b.reshape(-1, 4) + longer
    again = boxes.decode(boxes.encode(a, b), b)
    np.testing.assert_allclose(again, a, rtol=1e-5, atol=1e-5)


def test_a_decoded_side_grows_by_1000_sixteenths_at_most():
    anchor = np.array([0, 0, 16, 16])
    found = boxes.decode(np.array([0, 0, 50, 1e30]), anchor)
    np.testing.assert_allclose(found, [-492, -492, 508, 508], rtol=1e-5)
