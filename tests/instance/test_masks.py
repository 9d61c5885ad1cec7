"""Stacks, label maps and boxes, on small pictures and with hypothesis."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from skimage import measure

from kerasseg.instance import masks

sizes = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)
label_maps = arrays("int64", sizes, elements=st.sampled_from([-1, 0, 1, 2, 70000]))
LABELS = np.array([[0, 5, 5, 0], [2, 5, 0, 0], [0, 0, 0, 2]])


def test_boxes_reach_from_the_first_pixel_to_behind_the_last():
    stack = np.stack([LABELS == 5, LABELS == 2, LABELS == 9])
    expected = [[1, 0, 3, 2], [0, 1, 4, 3], [0, 0, 0, 0]]
    found = masks.masks_to_boxes(stack)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)
    ids, boxes = masks.label_map_to_boxes(LABELS)
    np.testing.assert_array_equal(ids, [2, 5])
    np.testing.assert_array_equal(boxes, expected[1::-1])


@settings(max_examples=60, deadline=None)
@given(label_maps)
def test_label_maps_become_stacks_and_crops_and_come_back(labels):
    ids, stack = masks.label_map_to_masks(labels)
    np.testing.assert_array_equal(ids, [i for i in np.unique(labels) if i > 0])
    for number, mask in zip(ids, stack):
        np.testing.assert_array_equal(mask, labels == number)
    again = np.concatenate([[0], ids])[masks.masks_to_label_map([*stack, labels < -9])]
    np.testing.assert_array_equal(again, np.maximum(labels, 0))
    np.testing.assert_array_equal(
        masks.label_map_to_boxes(labels)[1], masks.masks_to_boxes(stack)
    )
    for number, (x1, y1, x2, y2), mask in masks.crop_instances(labels):
        np.testing.assert_array_equal(mask, labels[y1:y2, x1:x2] == number)
        assert mask.sum() == (labels == number).sum()


@settings(max_examples=30, deadline=None)
@given(label_maps)
def test_boxes_agree_with_skimage(labels):
    regions = measure.regionprops(np.maximum(labels, 0).astype("int32"))
    expected = [[r.bbox[i] for i in (1, 0, 3, 2)] for r in regions]
    found = masks.label_map_to_boxes(labels)[1]
    np.testing.assert_array_equal(found, np.reshape(expected, (-1, 4)))


def test_hundreds_of_nuclei_take_the_memory_of_their_crops():
    labels = np.zeros([1024, 1024], "uint16")
    labels[::2, ::2] = np.kron(np.arange(1, 1025).reshape(32, 32), np.ones([16, 16]))
    tracemalloc.start()
    crops = list(masks.crop_instances(labels))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(crops) == 1024
    assert peak < 100e6  # a stack is a gigabyte


def test_where_masks_overlap_the_better_one_wins():
    stack = np.array([[[1, 1, 0]], [[1, 1, 1]], [[0, 1, 1]]], bool)
    found = masks.masks_to_label_map(stack)
    np.testing.assert_array_equal(found, [[1, 1, 2]])
    found = masks.masks_to_label_map(stack, scores=[0.2, 0.1, 0.9])
    np.testing.assert_array_equal(found, [[1, 3, 3]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: masks.masks_to_boxes(np.zeros([2, 2])), r"shape=\(2, 2\)"),
        (lambda: masks.label_map_to_boxes(np.zeros([2, 2])), "dtype=float64"),
        (lambda: masks.masks_to_label_map([]), "Received: 0 masks"),
        (lambda: masks.masks_to_label_map([[[1]], [[1, 1]]]), "the same size"),
        (lambda: masks.masks_to_label_map([[[1]]], scores=[]), "0 scores, 1 masks"),
    ],
)
def test_wrong_arrays_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
