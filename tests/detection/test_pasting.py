"""Pasting against torch's grid_sample and a bilinear loop in numpy."""

import cv2
import numpy as np
import pytest
import tensorflow as tf

from kerasseg.detection.pasting import paste_masks, stretch_masks

MASK = np.array([[0.1, 0.9, 0.3], [0.7, 1.0, 0.2]])


def reference(mask, box, size, stride=1):
    """Bilinear samples of `mask`, zeros around it, at pixel centres of the image."""
    (height, width), (x1, y1, x2, y2) = mask.shape, box
    padded = np.pad(mask, 1)
    pasted = np.zeros(size)
    for i, j in np.ndindex(*size):
        # In pixels of the padded mask, whose first centre is at 0.
        y = ((i + 0.5) * stride - y1) / (y2 - y1) * height + 0.5
        x = ((j + 0.5) * stride - x1) / (x2 - x1) * width + 0.5
        if 0 <= y < height + 1 and 0 <= x < width + 1:
            top, left = int(y), int(x)
            down, across = y - top, x - left
            corner = padded[top : top + 2, left : left + 2]
            pasted[i, j] = [1 - down, down] @ corner @ [1 - across, across]
    return pasted


def boxes(rng, num):
    corners = rng.uniform(-4, 8, (num, 2))
    return np.concatenate([corners, corners + rng.uniform(0.5, 9, (num, 2))], 1)


def test_pasted_masks_are_those_of_torchs_grid_sample():
    boxes = np.array([[[-2.5, 0.5, 4.5, 6], [2.2, 1.1, 2.9, 3.7]]])
    found = np.asarray(paste_masks(np.stack([[MASK] * 2]), boxes, (5, 6)))
    # torch 2.13, align_corners=False, zeros outside: a row, and a column.
    row = [0.629221, 0.666234, 0.444156, 0.240584, 0.129545, 0.018506]
    np.testing.assert_allclose(found[0, 0, 1], row, atol=1e-6)
    column = [0.028022, 0.588461, 0.848077, 0.611813, 0]
    np.testing.assert_allclose(found[0, 1, :, 2], column, atol=1e-6)
    assert np.count_nonzero(found[0, 1]) == 4


@pytest.mark.parametrize("stride", [1, 4])
def test_masks_are_interpolated_between_their_pixel_centres(rng, stride):
    masks, places = rng.random((2, 6, 3, 4)), boxes(rng, 12).reshape(2, 6, 4) * stride
    found = paste_masks(masks, places, (7, 9), stride=stride)
    expected = [
        [reference(mask, box, (7, 9), stride) for mask, box in zip(*image)]
        for image in zip(masks, places)
    ]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_mask_at_its_own_size_is_copied():
    found = paste_masks(MASK[None, None], np.array([[[2, 1, 5, 3]]]), (4, 6))
    expected = np.pad(MASK, [(1, 1), (2, 1)])
    np.testing.assert_allclose(found[0, 0], expected, atol=1e-6)


def test_boxes_without_area_give_empty_masks():
    places = np.array([[[0, 0, 0, 0], [2, 1, 2, 3], [4, 3, 1, 1]]])
    found = paste_masks(np.ones([1, 3, 2, 2]), places, (4, 6))
    np.testing.assert_array_equal(found, np.zeros([1, 3, 4, 6]))


def test_gradients_are_differences(rng):
    places = np.array([[0.6, 0.2, 4.9, 3.7], [-1.1, 1.3, 7.3, 4.4], [1.0, 2, 1, 3]])
    masks = tf.Variable(rng.random((1, 3, 2, 3)).astype("float32"))
    variable = tf.Variable(places[None].astype("float32"))
    weights = rng.normal(size=(1, 3, 4, 6)).astype("float32")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(weights * paste_masks(masks, variable, (4, 6)))
    by_mask, by_box = (np.asarray(g)[0] for g in tape.gradient(loss, [masks, variable]))
    assert (by_mask[2] == 0).all()
    assert (by_box[2] == 0).all()

    def loss_at(index, mask, box):
        return np.sum(weights[0, index] * reference(mask, box, (4, 6)))

    step = 1e-6
    for index, coordinate in np.ndindex(2, 4):
        mask, move = masks.numpy()[0, index].astype("float64"), step * np.eye(4)
        ends = [places[index] + s * move[coordinate] for s in (1, -1)]
        slope = np.subtract(*[loss_at(index, mask, end) for end in ends]) / (2 * step)
        np.testing.assert_allclose(by_box[index, coordinate], slope, rtol=1e-3)
    direction = rng.normal(size=(2, 3))
    expected = [loss_at(i, direction, places[i]) for i in (0, 1)]
    slopes = (by_mask[:2] * direction).sum((1, 2))
    np.testing.assert_allclose(slopes, expected, rtol=1e-3)


def test_the_part_that_an_image_fills_is_stretched_over_the_whole(rng):
    masks = rng.random((1, 2, 8, 12)).astype("float32")
    stretched = np.array(stretch_masks(masks, [[0.5, 0.75]]))
    for mask, found in zip(masks[0], stretched[0]):
        part = np.ascontiguousarray(mask[:4, :9])
        expected = cv2.resize(part, (12, 8), interpolation=cv2.INTER_LINEAR)
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_masks_of_an_image_that_fills_all_stay(rng):
    masks = rng.random((2, 1, 4, 4)).astype("float32")
    np.testing.assert_array_equal(stretch_masks(masks, np.ones([2, 2])), masks)
