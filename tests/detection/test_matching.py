"""Matching against detectron2's published case and tables a person can check."""

import keras
import numpy as np
import pytest

from kerasseg.detection.matching import match, sample

# The table of detectron2's test of its matcher, turned: rows are anchors.
TABLE = np.array(
    [[0.15, 0.3, 0.05], [0.45, 0.65, 0.4], [0.2, 0.05, 0.25], [0.6, 0.1, 0.4]]
)


def found(*args, **kwargs):
    return [np.asarray(x).tolist() for x in match(*args, **kwargs)]


def test_detectrons_case_has_the_published_matches():
    expected = [[1, 1, 2, 0], [-1, 1, 0, 1]]
    assert (
        found(TABLE, low_threshold=0.3, high_threshold=0.7, low_quality_matches="ties")
        == expected
    )


def test_all_anchors_that_tie_for_an_object_are_positive_and_keep_their_object():
    # Object 0 is best overlapped by anchors 0 and 1, yet anchor 1 overlaps 1 more.
    iou = [[0.4, 0.0], [0.4, 0.8], [0.1, 0.2]]
    expected = [[0, 1, 1], [1, 1, 0]]
    assert (
        found(iou, low_threshold=0.3, high_threshold=0.7, low_quality_matches="ties")
        == expected
    )


def test_assigning_gives_each_object_its_best_anchor():
    # The last anchor is best for objects 1 and 2 and goes to 2, which it overlaps more.
    iou = [[0.4, 0.0, 0.0], [0.4, 0.1, 0.1], [0.3, 0.5, 0.55]]
    assert found(iou, low_threshold=0.5, high_threshold=0.5) == [[0, 0, 2], [0, 0, 1]]
    expected = [[0, 0, 2], [1, 0, 1]]
    assert (
        found(iou, low_threshold=0.5, high_threshold=0.5, low_quality_matches="assign")
        == expected
    )


def test_an_object_takes_its_best_anchor_from_one_that_overlaps_more():
    iou = [[0.8, 0.45], [0.9, 0.1]]
    assert found(iou, low_threshold=0.4, high_threshold=0.5) == [[0, 0], [1, 1]]
    assert found(
        iou, low_threshold=0.4, high_threshold=0.5, low_quality_matches="assign"
    ) == [[1, 0], [1, 1]]


@pytest.mark.parametrize("low_quality_matches", [None, "ties", "assign"])
def test_padding_and_untouched_objects_match_nothing(low_quality_matches):
    iou = np.array([[[0.9, 0.0, 0.8], [0.2, 0.0, 0.9]], [[0.9] * 3, [0.8] * 3]])
    valid = np.array([[True, True, False], [False] * 3])
    expected = [[[0, 0], [0, 0]], [[1, 0], [0, 0]]]
    assert (
        found(
            iou,
            low_threshold=0.3,
            high_threshold=0.7,
            valid=valid,
            low_quality_matches=low_quality_matches,
        )
        == expected
    )


def test_wrong_options_are_refused():
    with pytest.raises(ValueError, match=r"Received: low_threshold=0\.7"):
        match(TABLE, low_threshold=0.7, high_threshold=0.3)
    with pytest.raises(ValueError, match="Received: 'best'"):
        match(TABLE, low_threshold=0.3, high_threshold=0.7, low_quality_matches="best")
    with pytest.raises(ValueError, match="Received: num=0"):
        sample(np.zeros([1, 2]), 0, positive_fraction=0.5, seed=0)


def sampled_rows(labels, num, **options):
    indices, weights = (np.asarray(x) for x in sample(labels, num, **options))
    assert indices.shape == weights.shape == (len(labels), num)
    return [
        sorted(row[weight > 0].tolist()) for row, weight in zip(indices, weights)
    ], weights


def test_positives_are_limited_and_negatives_fill_up(rng):
    labels = rng.permuted([[1] * 6 + [0] * 20 + [-1] * 4] * 50, axis=1)
    rows, weights = sampled_rows(labels, 8, positive_fraction=0.5, seed=1)
    assert weights.min() == 1
    for row, label in zip(rows, labels):
        assert len(set(row)) == 8
        assert sorted(label[row]) == [0] * 4 + [1] * 4


def test_few_positives_leave_room_for_negatives_and_then_for_nothing():
    labels = np.array([[0, 0, -1, 1, 0, 0], [-1, 1, -1, -1, 0, 1], [-1] * 6])
    rows, weights = sampled_rows(labels, 4, positive_fraction=0.5, seed=1)
    assert 3 in rows[0]
    assert rows[1:] == [[1, 4, 5], []]
    np.testing.assert_array_equal(weights.sum(1), [4, 3, 0])


def test_every_anchor_has_the_same_chance():
    labels = np.tile(np.repeat([1, 0], [4, 6]), (4000, 1))
    rows, _ = sampled_rows(labels, 4, positive_fraction=0.25, seed=3)
    shares = np.bincount(np.ravel(rows), minlength=10) / 4000
    # One positive of 4, three negatives of 6; five standard deviations of 4000 samples.
    np.testing.assert_allclose(shares, [1 / 4] * 4 + [1 / 2] * 6, atol=0.04)


def test_an_int_seed_repeats_and_a_generator_goes_on():
    labels = np.zeros([1, 100], "int32")
    generator = keras.random.SeedGenerator(0)
    samples = [sampled_rows(labels, 9, positive_fraction=0, seed=s) for s in (5, 5)]
    assert samples[0][0] == samples[1][0]
    samples = [
        sampled_rows(labels, 9, positive_fraction=0, seed=generator) for _ in range(2)
    ]
    assert samples[0][0] != samples[1][0]
