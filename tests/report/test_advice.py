"""Advice that follows from results."""

import pytest

from kerasseg import report
from kerasseg.tasks.semantic import TASK
from tests.report.results import RESULTS


def test_advice_follows_from_the_numbers():
    text = "\n".join(report.advice(RESULTS))
    assert "crack is found too rarely (recall 40 %, precision 90 %" in text
    assert "60 % of the pixels of crack are taken for <sky>" in text
    assert "crack is found in 5 of 6 images without it" in text
    # (40 * .1 + 60 * .27) / 100
    assert "too sure, by 20 points" in text and "label_smoothing" in text
    assert "could as well be 50.0 or 70.0" in text
    assert report.advice({"samples": [], "classes": {}}) == []


@pytest.mark.parametrize(
    "scores, expected",
    [
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], "train longer"),
        ([0.1, 0.6, 0.5, 0.5, 0.5, 0.5], "of epoch 2 of 6"),
        ([0.1, 0.5, 0.6, 0.61, 0.612, 0.612], None),
        ([0.1, None, 0.6, 0.7], None),
    ],
)
def test_a_training_too_short_or_too_long_is_told(scores, expected):
    rows = [{"kind": "epoch", TASK.monitor: score} for score in scores]
    found = report.advice({"samples": [], "mean_iou": 0.6}, rows)
    assert len(found) == (expected is not None)
    assert expected is None or expected in found[0]
