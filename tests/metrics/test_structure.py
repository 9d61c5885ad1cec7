"""Centre lines and boundary bands, counted by hand."""

import numpy as np
import pytest
from scipy import ndimage

from kerasseg import metrics


def test_a_thick_line_found_thin_is_whole():
    label, thin = np.zeros([2, 21, 40], "int32")
    label[8:13, 5:35], thin[10, 7:33] = 1, 1
    counts = metrics.centerline_counts(label, thin, 2)
    assert metrics.cl_dice(counts)[1] > 0.95
    dice = 2 * thin.sum() / (thin.sum() + label.sum())
    assert dice < 0.35


def test_a_gap_costs_its_length():
    label = np.zeros([11, 40], "int32")
    label[5, :] = 1
    found = label.copy()
    found[5, 10:20] = 0
    # All 30 found pixels are right, 30 of 40 are covered.
    assert metrics.centerline_counts(label, found, 2)[1].tolist() == [30, 30, 30, 40]
    assert metrics.cl_dice(metrics.centerline_counts(label, found, 2))[1] == (
        pytest.approx(2 * 0.75 / 1.75)
    )


def test_absent_classes_have_no_score():
    zeros = np.zeros([4, 4], "int32")
    assert np.isnan(metrics.cl_dice(metrics.centerline_counts(zeros, zeros, 2))[1])
    assert metrics.boundary_iou_counts(zeros, zeros, 2)[1].tolist() == [0, 0]


@pytest.mark.parametrize("width", [0.01, 0.05])
def test_boundary_bands_are_those_of_chessboard_distances(width):
    generator = np.random.default_rng(1)
    maps = [
        (ndimage.gaussian_filter(generator.normal(size=[60, 80]), 4) > 0).astype(int)
        for _ in range(2)
    ]
    steps = max(round(width * 100), 1)  # 60, 80, 100: a right triangle
    bands = []
    for mask in maps:
        inside = np.pad(mask == 1, 1)  # the border of the image is an outline
        far = ndimage.distance_transform_cdt(inside, "chessboard")[1:-1, 1:-1]
        bands.append((mask == 1) & (far <= steps))
    expected = [np.sum(bands[0] & bands[1]), np.sum(bands[0] | bands[1])]
    counts = metrics.boundary_iou_counts(*maps, 2, width=width)
    assert counts[1].tolist() == expected


def test_ignored_pixels_are_in_no_mask():
    label = np.ones([9, 9], int)
    label[:, 5:] = 255
    assert (
        metrics.boundary_iou_counts(label, np.ones([9, 9], int), 2)[1, 0]
        == (metrics.boundary_iou_counts(label, np.ones([9, 9], int), 2)[1, 1])
    )
