"""Panoptic maps of perfect outputs, on a picture that can be counted by hand."""

import numpy as np
import pytest

from kerasseg.instance import panoptic

#           stuff 0, two things of class 1 that touch, one of class 2
IDS = np.array(
    [
        [0, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 1, 1, 1, 2, 2, 2, 0, 0],
        [0, 1, 1, 1, 2, 2, 2, 0, 3],
        [0, 1, 1, 1, 2, 2, 2, 0, 0],
    ]
)

CLASSES = np.array([0, 1, 1, 2])[IDS]


def outputs(classes=CLASSES, ids=IDS, num_classes=3):
    """Outputs of a perfect network."""
    truth = panoptic.panoptic_targets(ids, sigma=1.0)
    return 9.0 * np.eye(num_classes)[classes], truth["centers"], truth["offsets"]


def test_targets_point_to_the_middle_of_the_object():
    truth = panoptic.panoptic_targets(IDS, sigma=1.0)
    centers = truth["centers"][..., 0]
    assert (centers[2, 2], centers[2, 5], centers[2, 8]) == (1, 1, 1)
    # Between the first two the nearer one shows: e^(-1/2), not the sum.
    assert centers[2, 3] == pytest.approx(np.exp(-0.5))
    np.testing.assert_array_equal(truth["offsets"][1, 1], [1, 1])
    np.testing.assert_array_equal(truth["offsets"][3, 5], [0, -1])
    np.testing.assert_array_equal(truth["weights"][..., 0], IDS > 0)
    assert not truth["offsets"][IDS == 0].any()


def test_perfect_outputs_give_the_map_back():
    found = panoptic.decode(*outputs(), things=[1, 2], window=3)
    assert found.classes.tolist() == [1, 1, 2, 0]
    # Peaks in the order of their rows and columns, then stuff.
    np.testing.assert_array_equal(found.ids, np.where(IDS, IDS, 4))


def test_the_class_of_an_object_is_that_of_most_of_its_pixels():
    classes = CLASSES.copy()
    classes[1, 1:4] = 2  # 3 of 9 pixels
    found = panoptic.decode(*outputs(classes), things=[1, 2], window=3)
    assert found.classes.tolist() == [1, 1, 2, 0]
    np.testing.assert_array_equal(found.ids, np.where(IDS, IDS, 4))


def test_stuff_is_one_segment_a_class_and_may_be_too_small():
    logits, centers, offsets = outputs()
    found = panoptic.decode(logits, centers, offsets, things=[2], window=3)
    # Class 1 is stuff now, of 18 pixels; its peaks win nothing.
    assert found.classes.tolist() == [2, 0, 1]
    assert (found.ids == 3).sum() == 18
    found = panoptic.decode(
        logits, centers, offsets, things=[2], window=3, min_stuff_px=18
    )
    assert found.classes.tolist() == [2, 1]  # the ground has 17
    found = panoptic.decode(
        logits, centers, offsets, things=[2], window=3, min_stuff_px=100
    )
    assert found.classes.tolist() == [2]
    assert (found.ids == 0).sum() == IDS.size - 1


def test_low_or_many_peaks_are_left_out():
    logits, centers, offsets = outputs()
    options = {"things": [1, 2], "window": 3}
    with pytest.warns(UserWarning, match="more objects than max_objects=1"):
        one = panoptic.decode(logits, centers, offsets, max_objects=1, **options)
    assert one.classes.tolist() == [1, 0]  # all things go to the only peak
    none = panoptic.decode(logits, centers, offsets, threshold=1.0, **options)
    assert none.classes.tolist() == [0]
    np.testing.assert_array_equal(none.ids == 0, IDS > 0)
