"""Scores of instances on maps that can be counted by hand."""

import itertools

import numpy as np
import pytest

from kerasseg.metrics import instances

#        three instances of 3, 2 and 4 pixels
TRUTH = np.array([[1, 1, 1, 0, 7, 7, 0, 9, 9, 9, 9, 0]])
#        2 of 3 pixels; IoU 2/3 with 7; halves of 9; one of nothing
FOUND = np.array([[4, 4, 0, 5, 5, 5, 0, 6, 6, 8, 8, 3]])


def test_the_table_holds_the_iou_of_every_pair():
    table = instances.iou_table(TRUTH, FOUND)
    expected = np.zeros([3, 5])  # found 3, 4, 5, 6, 8
    expected[0, 1] = expected[1, 2] = 2 / 3
    expected[2, 3] = expected[2, 4] = 0.5
    np.testing.assert_allclose(table, expected)


def test_counts_at_thresholds():
    counts = instances.instance_counts(TRUTH, FOUND, [0.5, 0.65, 0.7])
    # At 0.5 one half of instance 9 matches it; the other one is false.
    assert counts.tolist() == [[3, 2, 0], [2, 3, 1], [0, 5, 3]]
    np.testing.assert_allclose(
        instances.average_precision(counts), [3 / 5, 2 / 6, 0 / 8]
    )
    np.testing.assert_allclose(instances.f1(counts), [6 / 8, 4 / 8, 0])


def test_panoptic_quality_is_mean_iou_times_f1():
    scores = instances.panoptic_quality(TRUTH, FOUND)
    assert scores["sq"] == pytest.approx(2 / 3)
    assert scores["rq"] == pytest.approx(4 / 8)
    assert scores["pq"] == pytest.approx(1 / 3)


def test_the_aggregated_index_adds_unused_instances():
    # Intersections 2 + 2 + 2, unions 3 + 3 + 4, and 3 and one half unused: 1 + 2.
    assert instances.aggregated_jaccard(TRUTH, FOUND) == pytest.approx(6 / 13)


def test_an_instance_that_nothing_touches_counts_its_own_pixels():
    found = np.array([[4, 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]])
    assert instances.aggregated_jaccard(TRUTH, found) == pytest.approx(3 / 9)


def test_the_summary_is_of_all_images():
    counts = instances.instance_counts(TRUTH, FOUND)
    qualities = instances.quality_counts(TRUTH, FOUND)
    index = instances.aggregated_jaccard(TRUTH, FOUND)
    scores = instances.summary(2 * counts, 2 * qualities, [index, 1.0])
    by_iou = instances.average_precision(counts)
    assert scores["label_ap"] == pytest.approx(by_iou.mean())
    assert scores["label_ap50"] == by_iou[0] and scores["f1"] == pytest.approx(6 / 8)
    assert scores["pq"] == pytest.approx(1 / 3)
    assert scores["aji"] == pytest.approx((6 / 13 + 1) / 2)


@pytest.mark.parametrize("scale", [1, 1000])
def test_equal_maps_of_other_ids_are_perfect(rng, scale):
    truth = rng.integers(-1, 6, [9, 11])
    found = np.where(truth > 0, (7 - truth) * scale, 0)
    counts = instances.instance_counts(truth, found)
    assert counts.tolist() == [[5, 0, 0]] * 10
    assert instances.aggregated_jaccard(truth, found) == 1
    assert instances.panoptic_quality(truth, found)["pq"] == 1


def test_no_instance_at_all_is_right_and_one_is_not():
    nothing, one = np.zeros([3, 3], int), np.eye(3, dtype=int)
    assert instances.average_precision(instances.instance_counts(nothing, nothing))[0]
    assert instances.aggregated_jaccard(nothing, nothing) == 1
    assert instances.panoptic_quality(nothing, nothing)["pq"] == 1
    for pair in [(nothing, one), (one, nothing)]:
        assert not instances.average_precision(instances.instance_counts(*pair)).any()
        assert instances.aggregated_jaccard(*pair) == 0
        assert instances.panoptic_quality(*pair)["pq"] == 0


@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.5])
def test_low_thresholds_match_as_many_as_any_assignment_could(rng, threshold):
    for _ in range(10):
        truth, found = rng.integers(0, 5, [2, 3, 4])
        able = instances.iou_table(truth, found) >= threshold
        longer = able if len(able) >= able.shape[1] else able.T
        most = max(
            sum(longer[row, column] for column, row in enumerate(rows))
            for rows in itertools.permutations(range(len(longer)), longer.shape[1])
        )
        counts = instances.instance_counts(truth, found, [threshold])
        assert counts[0, 0] == most


def test_maps_of_other_sizes_or_floats_are_refused():
    for other in (np.zeros([2, 2], int), np.zeros(TRUTH.shape)):
        with pytest.raises(ValueError, match="integers of the same shape"):
            instances.iou_table(TRUTH, other)
