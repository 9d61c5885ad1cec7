"""Scores of the classical baselines on maps that can be counted."""

import numpy as np
import pytest

from benchmarks.classical_baselines import iou, nuclei


def test_iou_of_half():
    found, truth = np.array([True, True, False]), np.array([False, True, True])
    assert iou(found, truth) == pytest.approx(1 / 3)
    assert iou(found & False, truth & False) == 1


@pytest.mark.slow
def test_nuclei_are_found(data_root):
    scores = nuclei(data_root("dsb2018"), every=31)
    assert scores["images"] == 5 and scores["f1"] > 0.3
