"""Panoptic maps and their scores, on pictures that can be counted by hand."""

import numpy as np
import pytest

from kerasseg.instance import panoptic
from kerasseg.metrics.panoptic import panoptic_counts, panoptic_scores

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
    """What a perfect network says."""
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
    one = panoptic.decode(logits, centers, offsets, max_objects=1, **options)
    assert one.classes.tolist() == [1, 0]  # all things go to the only peak
    none = panoptic.decode(logits, centers, offsets, threshold=1.0, **options)
    assert none.classes.tolist() == [0]
    np.testing.assert_array_equal(none.ids == 0, IDS > 0)


def test_counts_by_hand():
    truth = np.array([[1, 1, 1, 1, 2, 2, 2, 0, 0, 0]]), np.array([1, 0])
    # Found 1 has 3 of the 4 pixels of its class: 3 / 4. Found 2 has 2 of 3, and a void
    # one, which does not count: 2 / 3. Found 3 lies in the void, 4 is false.
    found = np.array([[1, 1, 1, 4, 4, 2, 2, 2, 3, 3]]), np.array([1, 0, 1, 1])
    counts = panoptic_counts(truth, found, 3)
    np.testing.assert_allclose(counts[0], [2 / 3, 1, 0, 0])
    np.testing.assert_allclose(counts[1], [3 / 4, 1, 1, 0])
    assert not counts[2].any()
    scores = panoptic_scores(counts)
    assert scores["rq"] == pytest.approx((1 + 1 / 1.5) / 2)
    assert scores["sq"] == pytest.approx((2 / 3 + 3 / 4) / 2)
    assert scores["pq"] == pytest.approx((2 / 3 + 3 / 4 / 1.5) / 2)
    assert np.isnan(scores["pq_per_class"][2])


def test_another_class_or_half_the_pixels_is_no_match():
    ids = np.array([[1, 1, 2, 2]])
    wrong = panoptic_counts((ids, np.array([0, 1])), (ids, np.array([0, 2])), 3)
    assert wrong.tolist() == [[1, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]
    half = np.array([[1, 2, 2, 2]])
    counts = panoptic_counts((ids, np.array([0, 1])), (half, np.array([0, 1])), 2)
    np.testing.assert_allclose(counts, [[0, 0, 1, 1], [2 / 3, 1, 0, 0]])


def test_of_one_class_it_is_the_quality_of_label_maps(rng):
    from kerasseg.metrics.instances import panoptic_quality

    for _ in range(20):
        truth, found = (
            np.kron(rng.integers(0, 4, [2, 3]), np.ones([2, 2], int)) for _ in range(2)
        )
        found[rng.random(found.shape) < 0.2] = 0
        expected = panoptic_quality(truth, found)
        # There 0 is background, which here is a segment of a class of its own.
        pairs = [
            (np.where(ids > 0, ids, 4), np.array([1, 1, 1, 0]))
            for ids in (truth, found)
        ]
        counts = panoptic_counts(*pairs, 2)[1:]
        if counts.any():
            assert panoptic_scores(counts)["pq"] == pytest.approx(expected["pq"])


@pytest.mark.parametrize(
    ("ids", "classes", "message"),
    [
        (np.array([[2]]), np.array([0]), "ids .* in 0..S"),
        (np.array([[-1]]), np.array([0]), "ids .* in 0..S"),
        (np.array([[0.5]]), np.array([0]), "float64"),
        (np.array([[1]]), np.array([7]), "must lie in 0..1"),
        (np.array([[1, 1]]), np.array([0]), "the same size"),
    ],
)
def test_wrong_maps_are_refused(ids, classes, message):
    right = np.array([[1]]), np.array([0])
    with pytest.raises(ValueError, match=message):
        panoptic_counts((ids, classes), right, 2)


def test_nothing_at_all_has_no_score():
    empty = np.zeros([2, 2], int), np.array([])
    assert np.isnan(panoptic_scores(panoptic_counts(empty, empty, 2))["pq"])
