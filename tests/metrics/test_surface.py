"""Distances of outlines, beside MedPy's formulas written out by hand."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.distance import cdist

from kerasseg import metrics


@pytest.fixture
def maps():
    generator = np.random.default_rng(0)
    smooth = [ndimage.gaussian_filter(generator.normal(size=[40, 50]), 3)] * 2
    smooth[1] = smooth[0] + ndimage.gaussian_filter(generator.normal(size=[40, 50]), 2)
    return [(x > 0.02).astype("int32") for x in smooth]


def outline_points(mask, spacing):
    """Pixels of a mask with a side beside something else, one by one."""
    padded = np.pad(mask, 1)
    points = [
        (row, column)
        for row, column in np.argwhere(mask)
        if not (
            padded[row, column + 1]
            and padded[row + 2, column + 1]
            and padded[row + 1, column]
            and padded[row + 1, column + 2]
        )
    ]
    return np.array(points) * spacing


@pytest.mark.parametrize("spacing", [1.0, (0.5, 2.0)])
def test_all_pairs_give_the_same_distances(maps, spacing):
    label, found = maps
    right, ours = (outline_points(x == 1, spacing) for x in maps)
    between = cdist(ours, right)
    forward, backward = between.min(1), between.min(0)
    distances = metrics.surface_distances(label, found, spacing=spacing)
    np.testing.assert_allclose(np.sort(distances[0]), np.sort(forward))
    np.testing.assert_allclose(np.sort(distances[1]), np.sort(backward))
    both = np.concatenate([forward, backward])
    assert metrics.hd95(distances) == pytest.approx(np.percentile(both, 95))
    mean = (forward.mean() + backward.mean()) / 2
    assert metrics.assd(distances) == pytest.approx(mean)
    share = (np.sum(forward <= 1) + np.sum(backward <= 1)) / len(both)
    assert metrics.surface_dice(distances, 1) == pytest.approx(share)


def test_a_class_that_is_missing():
    nothing, thing = np.zeros([5, 5], int), np.eye(5, dtype=int)
    neither = metrics.surface_distances(nothing, nothing)
    for score in (metrics.hd95, metrics.assd, lambda x: metrics.surface_dice(x, 1)):
        assert np.isnan(score(neither))
    one = metrics.surface_distances(thing, nothing)
    assert metrics.hd95(one) == metrics.assd(one) == np.inf
    assert metrics.surface_dice(one, 9) == 0


def test_outlines_at_ignored_pixels_do_not_count():
    label = np.zeros([6, 9], int)
    label[1:4, 1:4] = 1
    found = label.copy()
    found[1:4, 4:6] = 1  # too wide, but only into what is ignored
    label[:, 4:] = 255
    assert max(metrics.surface_distances(label, found)[0], default=0) == 0


def test_maps_of_unequal_sizes_are_refused():
    with pytest.raises(ValueError, match="one size"):
        metrics.surface_distances(np.zeros([2, 3], int), np.zeros([3, 2], int))


def test_what_lies_among_ignored_pixels_only_is_not_there():
    label, found = np.zeros([2, 20, 20], "int32")
    label[2:6, 2:6], label[:, 12:] = 1, 255
    found[10:15, 14:18] = 1
    distances = metrics.surface_distances(label, found)
    assert len(distances[0]) == 0
    assert metrics.hd95(distances) == np.inf
    label[2:6, 2:6] = 0
    assert np.isnan(metrics.hd95(metrics.surface_distances(label, found)))


@pytest.mark.parametrize("spacing", [0, -1, (0, 1), (2,), None, "a"])
def test_sizes_of_pixels_are_positive(spacing):
    with pytest.raises((ValueError, TypeError)):
        metrics.surface_distances(*np.ones([2, 4, 4], "int32"), spacing=spacing)
