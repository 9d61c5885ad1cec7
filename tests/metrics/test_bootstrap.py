"""Intervals over images, beside drawing images with replacement."""

import numpy as np
import pytest

from kerasseg.metrics import mean_iou
from kerasseg.metrics.bootstrap import IoUReplicates


def test_streams_give_the_intervals_of_drawing_with_replacement():
    generator = np.random.default_rng(0)
    matrices = generator.integers(1, 100, [40, 3, 3]) + 200 * np.eye(3, dtype=int)
    replicates = IoUReplicates(3, num=4000)
    for matrix in matrices:
        replicates.add(matrix)
    drawn = [
        float(mean_iou(matrices[generator.integers(0, 40, 40)].sum(0)))
        for _ in range(4000)
    ]
    expected = np.quantile(drawn, [0.025, 0.975])
    # Ends of intervals of 4000 replicates scatter by some hundredths of their width.
    tolerance = 0.1 * np.diff(expected)[0]
    low, high = replicates.intervals()["mean_iou"]
    assert [low, high] == pytest.approx(expected, abs=tolerance)


def test_a_class_in_few_images_has_a_wide_interval_and_absent_ones_none():
    replicates = IoUReplicates(3)
    for hits in (0, 0, 0, 9):
        replicates.add([[50, 0, 0], [9 - hits, hits, 0], [0, 0, 0]])
    _, (low, high), absent = replicates.intervals()["iou"]
    assert high - low > 0.4 and np.isnan(absent).all()


def test_one_image_has_no_interval():
    replicates = IoUReplicates(2)
    replicates.add([[4, 1], [1, 3]])
    found = replicates.intervals()
    assert np.isnan([found["mean_iou"], *found["iou"]]).all()
    replicates.add([[6, 0], [0, 0]])  # a class of one image
    found = replicates.intervals()
    assert np.isfinite(found["mean_iou"] + found["iou"][0]).all()
    assert np.isnan(found["iou"][1]).all()
