"""Boundary measures of DAVIS and BSDS, against plain loops and assignments."""

import math

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from kerasseg.metrics import (
    bsds_boundary_counts,
    bsds_boundary_scores,
    davis_boundary_f,
)


def loops(mask, found, radius):
    """DAVIS pixel by pixel: `seg2bmap`, dilation by a disk, precision and recall."""

    def outline(x):
        height, width = x.shape
        points = set()
        for i in range(height):
            for j in range(width):
                others = [(i, j + 1), (i + 1, j), (i + 1, j + 1)]
                inside = [(a, b) for a, b in others if a < height and b < width]
                if any(x[i, j] != x[at] for at in inside):
                    points.add((i, j))
        return points

    right, claimed = outline(mask), outline(found)
    if not right or not claimed:
        return float(bool(right) == bool(claimed))

    def share(these, those):
        near = [min(math.dist(p, q) for q in those) <= radius for p in these]
        return sum(near) / len(near)

    precision, recall = share(claimed, right), share(right, claimed)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def blob(rng, size=(30, 41)):
    mask = np.zeros(size, bool)
    for _ in range(3):
        y, x = rng.integers(0, 25, 2)
        mask[y : y + rng.integers(3, 12), x : x + rng.integers(3, 15)] = True
    return mask


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("tolerance", [0.008, 0.03, 3])
def test_davis_is_that_of_loops_over_pixels(seed, tolerance):
    rng = np.random.default_rng(seed)
    mask = blob(rng)
    found = np.roll(mask, rng.integers(-3, 4, 2), (0, 1)) | (seed % 2 and blob(rng))
    radius = tolerance if tolerance >= 1 else math.ceil(tolerance * math.hypot(30, 41))
    expected = loops(mask, found, radius)
    found_f = davis_boundary_f(mask, found, tolerance=tolerance)
    assert found_f == pytest.approx(expected, rel=1e-12)


def test_davis_without_boundaries():
    nothing, mask = np.zeros((9, 9), int), np.eye(9, dtype=int)
    assert davis_boundary_f(nothing, nothing) == 1
    assert davis_boundary_f(mask, nothing) == davis_boundary_f(nothing, mask) == 0
    assert davis_boundary_f(mask, nothing, void=np.ones((9, 9), bool)) == 1
    with pytest.raises(ValueError, match="label == k"):
        davis_boundary_f(mask * 2, mask)


def assigned(found, truth, reach):
    """Pairs of the cheapest assignment with a dense matrix and room for outliers."""
    here, there = np.argwhere(found), np.argwhere(truth)
    distances = np.hypot(*(here[:, None] - there).T).T
    cost = np.full((len(here) + len(there),) * 2, 100.0 * reach)
    cost[len(here) :, len(there) :] = 0
    block = np.where(distances <= reach, distances, 1e6)
    cost[: len(here), : len(there)] = block
    rows, columns = linear_sum_assignment(cost)
    pairs = (rows < len(here)) & (columns < len(there))
    return np.count_nonzero(block[rows[pairs], columns[pairs]] < 1e6)


@pytest.mark.parametrize("seed", range(5))
def test_bsds_matches_one_to_one_at_the_least_cost(seed):
    rng = np.random.default_rng(seed)
    found, truth = (rng.random((2, 24, 32)) < 0.08) & True
    from skimage.morphology import thin

    reach = 0.05 * 40
    counts = bsds_boundary_counts(found, [truth], tolerance=0.05)
    expected = assigned(thin(found), truth, reach)
    sums = [expected, thin(found).sum(), expected, truth.sum()]
    assert counts.tolist() == [sums]


def test_bsds_by_hand():
    # Two columns, found and true, two pixels apart, and a second annotator with none.
    found, truth = np.zeros((2, 30, 40), bool)
    found[:, 10], truth[:, 12] = True, True
    empty = np.zeros_like(truth)
    near = bsds_boundary_counts(found, [truth, empty], tolerance=2 / 50)
    assert near.tolist() == [[30, 30, 30, 30]]
    far = bsds_boundary_counts(found, [truth, empty], tolerance=1.9 / 50)
    assert far.tolist() == [[0, 30, 0, 30]]
    # Three found pixels cannot all take the one true pixel.
    truth[:] = False
    truth[15, 10] = True
    crowd = bsds_boundary_counts(found, [truth, truth], tolerance=2 / 50)
    assert crowd.tolist() == [[1, 30, 2, 2]]


def test_bsds_scores_by_hand():
    strengths, truth = np.zeros((30, 40)), np.zeros((30, 40), bool)
    strengths[:, 10], strengths[:, 30], truth[:, 10] = 0.9, 0.4, True
    counts = bsds_boundary_counts(strengths, [truth], thresholds=[0.3, 0.6])
    assert counts.tolist() == [[30, 60, 30, 30], [30, 30, 30, 30]]
    swapped = counts[::-1]  # an image whose best threshold is the other one
    scores = bsds_boundary_scores([counts, swapped])
    assert scores["ods"] == pytest.approx(2 * (2 / 3) / (2 / 3 + 1))
    assert scores["ois"] == 1
    assert scores["ap"] == 0  # one recall only
    with pytest.raises(ValueError, match="needs `thresholds`"):
        bsds_boundary_counts(strengths, [truth])


def test_average_precision_of_bsds_by_hand():
    # Recall 1 at precision 1/2, and recall 1/2 at precision 1.
    counts = [[30, 60, 30, 30], [15, 15, 15, 30]]
    # 51 steps from recall .5 to 1, whose precision falls evenly from 1 to .5.
    expected = 51 * 0.75 / 100
    assert bsds_boundary_scores([counts])["ap"] == pytest.approx(expected)
    # Of equal recalls that of the highest threshold counts.
    counts.insert(1, [30, 90, 30, 30])
    counts = [counts[1], counts[0], counts[2]]
    assert bsds_boundary_scores([counts])["ap"] == pytest.approx(expected)
