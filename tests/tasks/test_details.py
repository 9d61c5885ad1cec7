"""A closer look at class maps of whole images."""

import numpy as np
import pytest

from kerasseg import evaluate, metrics, predict, zoo
from kerasseg.tasks.outlines import Outlines
from tests.evaluate.made import make_samples, unsure


@pytest.mark.parametrize("options", [{}, {"flips": True}, {"tile_px": 8}])
def test_the_error_is_the_gap_of_confidence_and_accuracy(options):
    samples = make_samples([(20, 30), (10, 30)])
    # One wrong row of the 19 and of the 9 that count, and one confidence everywhere.
    right = (18 + 8) / (19 + 9)
    for logit in (1, 4):
        confidence = np.exp(logit) / (np.exp(logit) + 2)
        found = evaluate.details(unsure(logit), samples, options)["calibration"]
        assert found["error"] == pytest.approx(abs(confidence - right), abs=1e-5)
        expected = [28 * 30, confidence, right]
        np.testing.assert_allclose(found["bins"], [expected], rtol=1e-5)
        assert found["num_images"] == 2


def test_one_logit_counts_as_two_classes():
    samples = make_samples([(8, 8)], classes=("dark", "red"))
    sample = dict(samples[0])
    sample["label"] = np.minimum(sample["label"] % 255, 1)
    samples = make_samples([(8, 8)], read=lambda i: sample, classes=("dark", "red"))
    model = zoo.unet(1, "tiny", base_filters=4)
    found = evaluate.details(model, samples)
    bins = found["calibration"]["bins"]
    assert sum(pixels for pixels, _, _ in bins) == 64
    assert all(sure >= 0.5 for _, sure, _ in bins)
    probabilities = predict.probabilities(model, sample["image"])
    counts = metrics.ranking_counts(sample["label"], probabilities)
    ranking = found["ranking"]
    assert ranking["roc_auc"] == float(metrics.roc_auc(counts))
    assert ranking["average_precision"] == float(metrics.average_precision(counts))
    (false, true), (recall, _) = ranking["roc"], ranking["precision_recall"]
    assert [false[0], true[0], false[-1], true[-1], recall[-1]] == [0, 0, 1, 1, 1]
    assert len(false) == len(true) <= 102
    area = np.sum(np.diff(false) * (np.array(true[1:]) + true[:-1]) / 2)
    assert area == pytest.approx(ranking["roc_auc"], abs=0.02)


def test_outlines_are_those_of_the_prediction_without_small_regions():
    samples = make_samples([(20, 30), (10, 30)])
    for options in ({}, {"min_area_px": 5}):
        outlines = Outlines(3, 255)
        for sample in samples:
            ids = predict.class_ids(unsure(4), sample["image"], **options)
            outlines.add(sample["label"], ids)
        found = evaluate.details(unsure(4), samples, options)["outlines"]
        assert found == outlines.result(samples.classes) and found["num_images"] == 2
