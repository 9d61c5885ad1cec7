"""Palettes: distinct colours; label maps in colours."""

import numpy as np
import pytest
from skimage import color

from kerasseg import viz
from tests.viz.pictures import QUADRANTS

# Vienot et al., 1999: linear RGB as a deuteranope sees it.
DEUTERANOPE = [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]]


def lab_distances(colors):
    lab = color.rgb2lab(np.asarray(colors, float)[None] / 255)[0]
    distances = np.linalg.norm(lab[:, None] - lab, axis=-1)
    return distances[~np.eye(len(lab), dtype=bool)]


def test_a_longer_palette_starts_with_the_shorter_one():
    assert viz.palette(1).tolist() == [[0, 0, 0]]
    for num in (5, 8, 9, 40, 256):
        np.testing.assert_array_equal(viz.palette(300)[:num], viz.palette(num))


def test_palette_colors_differ_clearly():
    assert lab_distances(viz.palette(21)).min() > 25  # 2.3 is just noticeable
    assert lab_distances(viz.palette(64)).min() > 12
    assert len(np.unique(viz.palette(256), axis=0)) == 256


def test_first_colors_differ_for_a_deuteranope():
    linear = (viz.palette(8) / 255) ** 2.2
    seen = np.clip(linear @ np.transpose(DEUTERANOPE), 0, 1) ** (1 / 2.2)
    assert lab_distances(255 * seen).min() > 10


def test_palette_refuses_no_colors():
    with pytest.raises(ValueError, match="Received: num=0"):
        viz.palette(0)


def test_colorize_paints_each_quadrant():
    picture = viz.colorize(QUADRANTS, [[9, 9, 9], [1, 2, 3], [4, 5, 6]])
    corners = picture[[0, 0, -1, -1], [0, -1, 0, -1]].tolist()
    assert corners == [[9, 9, 9], [1, 2, 3], [4, 5, 6], list(viz.IGNORED)]
    assert picture.dtype == np.uint8


def test_colorize_without_ignore_label_needs_all_colors():
    assert viz.colorize(QUADRANTS, ignore_label=None).shape == (20, 24, 3)
    with pytest.raises(ValueError, match="up to 255"):
        viz.colorize(QUADRANTS, viz.palette(3), ignore_label=None)


@pytest.mark.parametrize("label", [np.zeros([2, 2, 2], int), [[0.5]], [[-1]]])
def test_colorize_refuses_what_is_no_label_map(label):
    with pytest.raises(ValueError, match="Received"):
        viz.colorize(label)
