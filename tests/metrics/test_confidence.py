"""Calibration and ranking, beside sums over pixels and all pairs of them."""

import itertools

import numpy as np
import pytest

from kerasseg import metrics


@pytest.fixture
def binary():
    generator = np.random.default_rng(0)
    scores = np.round(generator.uniform(size=[2, 30, 20]), 2) * 0.999
    label = (generator.uniform(size=scores.shape) < scores**2).astype("int32")
    label[0, :3] = 255
    return label, scores


def test_calibration_error_is_the_mean_gap(binary):
    label, scores = binary
    known = label != 255
    confidence = np.maximum(scores, 1 - scores)[known]
    right = ((scores > 0.5) == label)[known]
    error, edges = 0.0, np.linspace(0, 1, 16)
    for low, high in itertools.pairwise(edges):
        chosen = (confidence >= low) & ((confidence < high) | (high == 1))
        if chosen.any():
            gap = abs(confidence[chosen].mean() - right[chosen].mean())
            error += chosen.mean() * gap
    counts = sum(metrics.calibration_counts(*pair) for pair in zip(label, scores))
    assert counts[:, 0].sum() == known.sum()
    assert metrics.calibration_error(counts) == pytest.approx(error)


def test_certain_and_right_is_calibrated():
    label = np.array([[0, 1, 2]])
    counts = metrics.calibration_counts(label, np.eye(3)[label])
    assert metrics.calibration_error(counts) == 0
    assert np.isnan(metrics.calibration_error(0 * counts))


def test_the_area_under_roc_is_the_share_of_pairs_in_order(binary):
    label, scores = binary
    low, high = (scores[label == k] for k in (0, 1))
    wins = (high[:, None] > low).mean() + 0.5 * (high[:, None] == low).mean()
    counts = sum(metrics.ranking_counts(*pair) for pair in zip(label, scores))
    assert metrics.roc_auc(counts) == pytest.approx(wins)


def test_average_precision_is_the_mean_precision_at_positives(binary):
    label, scores = binary
    known = label != 255
    label, scores = label[known], scores[known]
    # One threshold after the other, as scikit-learn's definition has it.
    expected, before = 0.0, 0.0
    for threshold in np.unique(scores)[::-1]:
        above = scores >= threshold
        recall = (label[above] == 1).sum() / (label == 1).sum()
        expected += (recall - before) * (label[above] == 1).mean()
        before = recall
    counts = metrics.ranking_counts(label, scores)
    assert metrics.average_precision(counts) == pytest.approx(expected)


@pytest.mark.parametrize("squeeze", [lambda x: x**8 / 1000, lambda x: 1 - x**8 / 1e3])
def test_areas_hold_for_probabilities_near_0_and_1(squeeze):
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 4000)
    scores = squeeze(np.clip(rng.normal(0.4 + 0.2 * label, 0.2), 0, 1))
    low, high = (scores[label == k] for k in (0, 1))
    wins = (high[:, None] > low).mean() + 0.5 * (high[:, None] == low).mean()
    found = metrics.roc_auc(metrics.ranking_counts(label, scores))
    assert found == pytest.approx(wins, abs=1e-3)


def test_two_classes_may_come_as_two_probabilities(binary):
    label, scores = binary
    both = np.stack([1 - scores, scores], -1)
    for given in (both, scores[..., None]):
        counts = metrics.ranking_counts(label, given)
        np.testing.assert_array_equal(counts, metrics.ranking_counts(label, scores))


@pytest.mark.parametrize("bad", [np.full([2, 2], 3.0), np.full([2, 2], np.nan)])
def test_logits_are_no_probabilities(bad):
    with pytest.raises(ValueError, match="softmax or sigmoid"):
        metrics.ranking_counts(np.zeros([2, 2], int), bad)


def test_more_classes_have_no_ranking():
    with pytest.raises(ValueError, match="must be 0 or 1"):
        metrics.ranking_counts(np.full([2, 2], 2), np.full([2, 2], 0.5))
    with pytest.raises(ValueError, match=r"of two classes.*\(2, 2, 3\)"):
        metrics.ranking_counts(np.zeros([2, 2], int), np.full([2, 2, 3], 0.3))


def test_without_one_class_there_is_no_area():
    counts = metrics.ranking_counts(np.zeros([2, 2], int), np.full([2, 2], 0.5))
    assert np.isnan(metrics.roc_auc(counts))
    assert np.isnan(metrics.average_precision(counts))
