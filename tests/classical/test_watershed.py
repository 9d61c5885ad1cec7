"""Touching objects split at their necks; watersheds are in test_markers."""

import cv2
import numpy as np
import pytest
from skimage import data

from kerasseg import classical
from tests.classical.pictures import disks


def test_touching_disks_are_split():
    mask = disks((30, 25, 15), (30, 50, 15), (30, 78, 9))
    labels = classical.split_instances(mask)
    np.testing.assert_array_equal(labels > 0, mask)
    assert labels.max() == 3
    assert len({labels[30, 25], labels[30, 50], labels[30, 78]}) == 3


def test_one_lumpy_object_stays_one():
    mask = disks((30, 30, 15), (30, 35, 15))
    assert classical.split_instances(mask).max() == 1


@pytest.mark.parametrize("value", [0, 1])
def test_an_even_mask_has_one_object_or_none(value):
    mask = np.full([9, 12], value)
    np.testing.assert_array_equal(classical.split_instances(mask), mask)


def test_objects_that_touch_at_a_corner_are_two():
    mask = np.kron(np.eye(2), np.ones([8, 8])).astype(bool)
    assert classical.split_instances(mask).max() == 2


def test_a_smooth_distance_sees_past_scratches_in_an_outline():
    bar = np.zeros([41, 80], "uint8")
    bar[14:27, 10:70] = 1
    bar[np.ix_([14, 15, 25, 26], [22, 34, 46, 58])] = 0  # half width 5 instead of 7
    assert classical.split_instances(bar, min_depth=0.5).max() == 5
    assert classical.split_instances(bar, min_depth=0.5, sigma=4.0).max() == 1


def test_small_objects_are_dropped():
    mask = disks((30, 25, 15), (5, 80, 1))
    assert classical.split_instances(mask, min_size=10).max() == 1


def test_objects_of_different_classes_are_never_joined():
    mask = np.zeros([20, 30], int)
    mask[5:15, 5:15], mask[5:15, 15:25] = 1, 2  # one bar of two classes
    labels = classical.split_instances(mask)
    assert labels.max() == 2
    assert (labels == 1).sum() == 100 == (labels == 2).sum()
    assert set(mask[labels == 1]) == {1}
    assert classical.split_instances(mask > 0, min_depth=3.0).max() == 1


def test_a_photo_or_a_compressed_mask_is_refused(rng):
    photo = data.camera()[::4, ::4]
    mask = 255 * np.kron(np.eye(3, dtype="uint8"), np.ones([16, 16], "uint8"))
    lossy = cv2.imdecode(cv2.imencode(".jpg", mask)[1], cv2.IMREAD_GRAYSCALE)
    lossy = np.clip(lossy + rng.integers(0, 20, lossy.shape), 0, 255)
    for image in (photo, lossy):
        with pytest.raises(ValueError, match="as in a photo or a compressed mask"):
            classical.split_instances(image)
    assert classical.split_instances(lossy > 127).max() == 3


def test_label_images_of_many_objects_keep_them():
    cells = np.kron(np.arange(36).reshape(6, 6), np.ones([9, 9], int))
    assert classical.split_instances(cells).max() == 35
