"""Merged regions: all neighbours differ."""

import cv2
import numpy as np

from kerasseg import classical
from tests.classical.pictures import HALVES


def test_merging_leaves_only_neighbours_that_differ(rng):
    image = cv2.blur(rng.random([40, 50]).astype("float32"), (5, 5))
    cells = np.arange(80).reshape(8, 10).repeat(5, 0).repeat(5, 1)
    merged = classical.merge_regions(cells, image, threshold=5.0)
    lab = classical.slic.__globals__["lab"](image)
    mean = np.array([lab[merged == k].mean(0) for k in range(merged.max() + 1)])
    pairs = {(a, b) for a, b in zip(merged[:, :-1].flat, merged[:, 1:].flat) if a != b}
    pairs |= {(a, b) for a, b in zip(merged[:-1].flat, merged[1:].flat) if a != b}
    assert 1 < len(mean) < 80
    assert min(np.linalg.norm(mean[a] - mean[b]) for a, b in pairs) > 5


def test_merging_with_threshold_zero_joins_equal_regions_only():
    labels = np.arange(16 * 20).reshape(16, 20)
    merged = classical.merge_regions(labels, HALVES, threshold=0.0)
    np.testing.assert_array_equal(merged, HALVES == 200)
