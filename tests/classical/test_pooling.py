"""Averages and votes of predictions in superpixels."""

import numpy as np
import pytest

from kerasseg import classical


def test_pooling_averages_each_superpixel(rng):
    probabilities = rng.random([12, 15, 4])
    superpixels = rng.integers(3, 9, [12, 15]) * 10
    pooled = classical.pool_probabilities(probabilities, superpixels)
    for k in np.unique(superpixels):
        where = superpixels == k
        expected = np.broadcast_to(probabilities[where].mean(0), [where.sum(), 4])
        np.testing.assert_allclose(pooled[where], expected, rtol=1e-6)
    flat = classical.pool_probabilities(probabilities[..., 0], superpixels)
    np.testing.assert_array_equal(flat, pooled[..., 0])


def test_snapping_takes_the_majority_without_ignored_pixels():
    label = [[1, 1, 2, 255, 255, 255, 255, 3], [1, 2, 2, 255, 255, 255, 255, 255]]
    cells = [[0, 0, 0, 0, 1, 1, 2, 2], [0, 0, 0, 0, 1, 1, 2, 2]]
    snapped = classical.snap_to_superpixels(label, cells)
    assert snapped.tolist() == [[1] * 4 + [255] * 2 + [3] * 2] * 2


@pytest.mark.parametrize("name", ["pool_probabilities", "snap_to_superpixels"])
def test_superpixels_of_another_size_are_refused(name):
    with pytest.raises(ValueError, match="`superpixels` must have the size"):
        getattr(classical, name)(np.zeros([4, 5], int), np.zeros([5, 4], int))
