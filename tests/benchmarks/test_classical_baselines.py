"""Scores of the classical baselines on maps that can be counted."""

import numpy as np
import pytest

from benchmarks.classical_baselines import iou, matched_f1, nuclei


def test_f1_counts_instances_that_overlap_enough():
    truth = np.array([[1, 1, 1, 0, 7, 7, 7, 7]])
    found = np.array([[4, 4, 0, 0, 9, 9, 0, 3]])
    # 2 of 3 pixels match; 2 of 4 do not, nor 1 of 4: one pair of 2 and 3 instances.
    assert matched_f1(found, truth) == pytest.approx(2 / 5)


def test_f1_of_nothing_in_both_is_one():
    assert matched_f1(np.zeros([3, 3], int), np.zeros([3, 3], int)) == 1
    assert matched_f1(np.ones([3, 3], int), np.zeros([3, 3], int)) == 0


def test_iou_of_half():
    found, truth = np.array([True, True, False]), np.array([False, True, True])
    assert iou(found, truth) == pytest.approx(1 / 3)
    assert iou(found & False, truth & False) == 1


@pytest.mark.slow
def test_nuclei_are_found(data_root):
    scores = nuclei(data_root("dsb2018"), every=31)
    assert scores["images"] == 5 and scores["f1"] > 0.3
