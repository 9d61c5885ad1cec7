"""Calibration of class maps on whole images."""

import numpy as np
import pytest

from kerasseg import evaluate, zoo
from tests.evaluate.made import make_samples, unsure


@pytest.mark.parametrize("options", [{}, {"flips": True}, {"tile_px": 8}])
def test_the_error_is_the_gap_of_confidence_and_accuracy(options):
    samples = make_samples([(20, 30), (10, 30)])
    # One wrong row of the 19 and of the 9 that count, and one confidence everywhere.
    right = (18 + 8) / (19 + 9)
    for logit in (1, 4):
        confidence = np.exp(logit) / (np.exp(logit) + 2)
        found = evaluate.calibration(unsure(logit), samples, options)
        assert found["error"] == pytest.approx(abs(confidence - right), abs=1e-5)
        expected = [28 * 30, confidence, right]
        np.testing.assert_allclose(found["bins"], [expected], rtol=1e-5)
        assert found["num_images"] == 2


def test_one_logit_counts_as_two_classes():
    samples = make_samples([(8, 8)], classes=("dark", "red"))
    sample = dict(samples[0])
    sample["label"] = np.minimum(sample["label"] % 255, 1)
    samples = make_samples([(8, 8)], read=lambda i: sample, classes=("dark", "red"))
    found = evaluate.calibration(zoo.unet(1, "tiny", base_filters=4), samples)
    assert sum(pixels for pixels, _, _ in found["bins"]) == 64
    assert all(sure >= 0.5 for _, sure, _ in found["bins"])
