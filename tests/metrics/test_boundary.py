"""Boundary F-score on maps whose outlines can be counted by hand."""

import numpy as np
import pytest
from scipy import ndimage

from kerasseg.metrics import boundary_counts, boundary_f


def halves(border, size=8):
    """Class 0 left of a column, 1 from it on: each boundary has `size` pixels."""
    return np.repeat([np.arange(size) >= border], size, axis=0).astype(int)


@pytest.mark.parametrize("shift, matched", [(0, 8), (1, 8), (2, 8), (3, 0)])
def test_outlines_match_up_to_the_tolerance(shift, matched):
    counts = boundary_counts(halves(3), halves(3 + shift), 2, tolerance_px=2)
    assert counts.tolist() == [[matched, 8, matched, 8]] * 2
    assert boundary_f(counts).tolist() == [matched / 8] * 2


def test_a_class_without_outline_is_left_out_and_a_missed_one_is_zero():
    # Class 2 is nowhere; class 1 is one pixel that the prediction misses.
    label = np.zeros([5, 5], int)
    label[2, 2] = 1
    counts = boundary_counts(label, np.zeros([5, 5], int), 3)
    assert counts.tolist() == [[0, 0, 0, 4], [0, 0, 0, 1], [0, 0, 0, 0]]
    np.testing.assert_array_equal(boundary_f(counts), [0, 0, np.nan])


def test_outlines_beside_ignored_pixels_do_not_count():
    label = halves(4)
    label[:3] = 255  # row 3 lies beside them: rows 4 to 7 are left
    counts = boundary_counts(label, halves(4), 2, tolerance_px=0)
    assert counts.tolist() == [[4, 4, 4, 4]] * 2


def test_distances_are_euclidean(rng):
    label, found = rng.integers(0, 2, [2, 30, 30])
    label, found = (ndimage.median_filter(m, 5) for m in (label, found))
    cross = ndimage.generate_binary_structure(2, 1)

    def points(mask):
        return np.argwhere(mask & ~ndimage.binary_erosion(mask, cross, border_value=1))

    a, b = points(found == 1), points(label == 1)
    distance = np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1))
    near = distance <= 1.5
    expected = [near.any(1).sum(), len(a), near.any(0).sum(), len(b)]
    counts = boundary_counts(label, found, 2, tolerance_px=1.5)
    assert counts[1].tolist() == expected


def test_counts_of_other_sizes_are_refused():
    with pytest.raises(ValueError, match="must have one size"):
        boundary_counts(np.zeros([3, 3]), np.zeros([3, 4]), 2)
