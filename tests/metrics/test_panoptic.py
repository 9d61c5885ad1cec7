"""Scores of panoptic maps (`metrics.panoptic`), counted by hand."""

import numpy as np
import pytest

from kerasseg.metrics.panoptic import panoptic_counts, panoptic_scores


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
