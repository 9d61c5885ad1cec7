"""Crowds by Kirillov's rule, against the loops of the authors' code."""

import numpy as np
import pytest

from kerasseg.metrics import instances, panoptic

# As case by case in panopticapi/evaluation.py: a crowd is skipped among truth, and a
# segment without a match is skipped if more than half is void or crowd of its class.


def authors(truth, found, num_classes, crowd):
    (true_ids, true_classes), (found_ids, found_classes) = truth, found
    counts = np.zeros((num_classes, 4))
    hit_true, hit_found = set(), set()
    for t, true_class in enumerate(true_classes, 1):
        for f, found_class in enumerate(found_classes, 1):
            if crowd[t - 1] or true_class != found_class:
                continue
            both = np.sum((true_ids == t) & (found_ids == f))
            void = np.sum((true_ids == 0) & (found_ids == f))
            union = np.sum(true_ids == t) + np.sum(found_ids == f) - both - void
            if both / max(union, 1) > 0.5:
                counts[true_class, 0] += both / union
                counts[true_class, 1] += 1
                hit_true.add(t)
                hit_found.add(f)
    for t, true_class in enumerate(true_classes, 1):
        if t not in hit_true and not crowd[t - 1] and np.any(true_ids == t):
            counts[true_class, 3] += 1
    for f, found_class in enumerate(found_classes, 1):
        area = np.sum(found_ids == f)
        if f in hit_found or not area:
            continue
        excused = np.sum((true_ids == 0) & (found_ids == f))
        for t, true_class in enumerate(true_classes, 1):
            if crowd[t - 1] and true_class == found_class:
                excused += np.sum((true_ids == t) & (found_ids == f))
        if excused / area <= 0.5:
            counts[found_class, 2] += 1
    return counts


def blocks(rng, segments):
    """A map of rectangles, later ones in front."""
    ids = np.zeros((20, 20), "int32")
    for number in range(1, segments + 1):
        y, x = rng.integers(0, 14, 2)
        height, width = rng.integers(3, 9, 2)
        ids[y : y + height, x : x + width] = number
    return ids


@pytest.mark.parametrize("seed", range(20))
def test_panoptic_counts_are_those_of_the_authors(seed):
    rng = np.random.default_rng(seed)
    ids = blocks(rng, 6)
    near = np.roll(ids, rng.integers(-1, 2, 2), (0, 1))
    truth = ids, rng.integers(0, 2, 6)
    found = near, np.where(rng.random(6) < 0.8, truth[1], 1 - truth[1])
    crowd = rng.random(6) < 0.4
    counts = panoptic.panoptic_counts(truth, found, 2, crowd=crowd)
    np.testing.assert_allclose(counts, authors(truth, found, 2, crowd))


@pytest.mark.parametrize("seed", range(20))
def test_label_maps_follow_the_same_rule(seed):
    rng = np.random.default_rng(seed)
    ids, crowd_ids = blocks(rng, 5), blocks(rng, 2)
    found = np.roll(np.where(ids > 0, ids, crowd_ids * 10), rng.integers(-1, 2), 1)
    crowd = (crowd_ids > 0) & (ids == 0)
    # One class of things, stuff everywhere else, so that nothing is void.
    true = np.unique(ids[ids > 0])
    whole = np.select([ids > 0, crowd], [np.searchsorted(true, ids) + 1, 9], 8)
    names, numbers = np.unique(found[found > 0], return_inverse=True)
    found_ids = np.full(found.shape, len(names) + 1)
    found_ids[found > 0] = numbers + 1
    classes = np.array([0] * 7 + [1, 0])
    expected = authors(
        (whole, classes),
        (found_ids, np.array([0] * len(names) + [1])),
        2,
        np.arange(9) == 8,
    )[0]
    (hits, false, missed), *_ = instances.instance_counts(
        ids, found, [0.50001], crowd=crowd
    )
    assert [hits, false, missed] == expected[1:].tolist()
    total, pairs, halves = instances.quality_counts(ids, found, crowd=crowd)
    assert [total, pairs] == pytest.approx(expected[:2].tolist())
    assert halves == expected[1] + (expected[2] + expected[3]) / 2


def scene():
    """A true object, a crowd, and what covers the crowd and a pixel around it."""
    truth, crowd = np.zeros((60, 60), int), np.zeros((60, 60), bool)
    truth[5:20, 5:20], crowd[30:50, 30:50] = 1, True
    found = truth.copy()
    found[29:51, 29:51] = 2
    return truth, found, crowd


def test_what_covers_a_crowd_is_no_false_object():
    truth, found, crowd = scene()
    assert (
        instances.instance_counts(truth, found, crowd=crowd).tolist()
        == [[1, 0, 0]] * 10
    )
    assert instances.panoptic_quality(truth, found, crowd=crowd)["pq"] == 1
    assert instances.aggregated_jaccard(truth, found, crowd=crowd) == 1
    without = instances.instance_counts(truth, found)
    assert without[0].tolist() == [1, 1, 0]


def test_what_is_half_outside_of_a_crowd_is_false():
    truth, found, crowd = scene()
    found[50:58, :] = 2
    assert instances.instance_counts(truth, found, crowd=crowd)[0].tolist() == [1, 1, 0]
    area = np.count_nonzero(found == 2)
    index = instances.aggregated_jaccard(truth, found, crowd=crowd)
    assert index == pytest.approx(225 / (225 + area))


def test_crowds_of_another_shape_are_refused():
    truth, found, crowd = scene()
    with pytest.raises(ValueError, match="`crowd` must be a bool mask"):
        instances.quality_counts(truth, found, crowd=crowd[1:])
    with pytest.raises(ValueError, match="one bool for each true segment"):
        panoptic.panoptic_counts((truth, [0]), (truth, [0]), 1, crowd=[True, False])
