"""Boundaries and mean colours of superpixels."""

import numpy as np

from kerasseg import viz
from tests.viz.pictures import QUADRANTS


def test_boundaries_mark_pixels_that_differ_from_the_next(rng):
    labels = rng.integers(0, 4, [6, 8]).repeat(5, 0).repeat(5, 1)
    picture = viz.boundaries(np.zeros(labels.shape, "uint8"), labels, color=(9, 9, 9))
    expected = [
        any(
            labels[y, x] != other
            for other in (*labels[y, x + 1 : x + 2], *labels[y + 1 : y + 2, x])
        )
        for y, x in np.ndindex(labels.shape)
    ]
    np.testing.assert_array_equal(picture[..., 0].ravel() == 9, expected)


def test_wider_boundaries_mark_more_pixels():
    image = np.zeros([20, 24], "uint8")
    counts = [(viz.boundaries(image, QUADRANTS, width_px=w) > 0).sum() for w in (1, 3)]
    assert counts[1] > 2 * counts[0]


def test_mean_colors_average_each_region_and_leave_unreached_white(rng):
    image = rng.integers(0, 256, [9, 10, 3]).astype("uint8")
    labels = rng.integers(-1, 3, [9, 10])
    picture = viz.mean_colors(image, labels)
    for k in (0, 1, 2):
        expected = np.round(image[labels == k].mean(0))
        assert (picture[labels == k] == expected).all()
    assert (picture[labels < 0] == 255).all()
