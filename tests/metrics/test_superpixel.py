"""Scores of superpixels, worked out by hand on 4 x 4 maps."""

import numpy as np
import pytest
from skimage import segmentation

from kerasseg.metrics import superpixel

# Two segments, left and right; a superpixel that reaches one column too far.
HALVES = np.repeat([[0, 0, 1, 1]], 4, axis=0)
SHIFTED = np.repeat([[0, 0, 0, 1]], 4, axis=0)
QUADRANTS = np.kron([[0, 1], [2, 3]], np.ones([2, 2], int))


def test_a_refinement_of_the_segments_is_perfect():
    assert superpixel.boundary_recall(QUADRANTS, HALVES, tolerance_px=0) == 1
    assert superpixel.achievable_accuracy(QUADRANTS, HALVES) == 1
    for form in superpixel.FORMS:
        error = superpixel.undersegmentation_error(QUADRANTS, HALVES, form=form)
        assert error == 0


def test_undersegmentation_of_a_shifted_border():
    # Superpixel 0 has 8 pixels in the left half and 4 in the right one; superpixel 1
    # has 4 in the right half only.
    def error(form):
        return superpixel.undersegmentation_error(SHIFTED, HALVES, form=form)

    assert error("neubert_protzel") == (min(8, 4) + min(4, 8) + 0) / 16
    assert error("van_den_bergh") == 4 / 16
    assert error("levinshtein") == (4 / 8 + 8 / 8) / 2  # leaks / area, mean of halves
    assert superpixel.achievable_accuracy(SHIFTED, HALVES) == 12 / 16


def test_boundary_recall_counts_pixels_within_the_tolerance():
    # The border of a half is column 1, the shifted one column 2.
    assert superpixel.boundary_recall(SHIFTED, HALVES, tolerance_px=0) == 0
    assert superpixel.boundary_recall(SHIFTED, HALVES, tolerance_px=1) == 1


def test_a_corner_is_found_by_half():
    # The border of the quadrants is column 1 and row 1, 7 pixels; halves have 4.
    found = superpixel.boundary_recall(HALVES, QUADRANTS, tolerance_px=0)
    assert found == pytest.approx(4 / 7)


def test_several_annotators_are_averaged():
    for score in (
        superpixel.achievable_accuracy,
        superpixel.undersegmentation_error,
        superpixel.boundary_recall,
    ):
        both = score(SHIFTED, [HALVES, SHIFTED])
        assert both == (score(SHIFTED, HALVES) + score(SHIFTED, SHIFTED)) / 2
        assert score(SHIFTED, np.stack([HALVES, SHIFTED])) == both


def test_explained_variation_by_hand():
    # Mean 5: total 4 * (16 + 4 + 4 + 16); means 2 and 8 explain 4 * 4 * 9.
    image = np.repeat([[1, 3, 7, 9]], 4, axis=0)
    assert superpixel.explained_variation(HALVES, image) == pytest.approx(144 / 160)
    assert superpixel.explained_variation(HALVES, np.full([4, 4], 7)) == 1


def test_compactness_of_rectangles():
    assert superpixel.compactness(QUADRANTS) == pytest.approx(np.pi / 4)
    assert superpixel.compactness(HALVES) == pytest.approx(4 * np.pi * 8 / 12**2)


def test_numbers_of_labels_do_not_matter(rng):
    labels = rng.integers(0, 5, [8, 9])
    truth = rng.integers(0, 4, [8, 9])
    odd_labels, odd_truth = labels * 10**8 + 3, truth * 1000 + 7
    for form in superpixel.FORMS:
        assert superpixel.undersegmentation_error(
            labels, truth, form=form
        ) == superpixel.undersegmentation_error(odd_labels, odd_truth, form=form)


def test_boundary_recall_agrees_with_a_plain_count(rng):
    labels = rng.integers(0, 3, [12, 15]).repeat(3, 0).repeat(3, 1)
    truth = rng.integers(0, 3, [9, 9]).repeat(4, 0).repeat(5, 1)
    inner = segmentation.find_boundaries(truth, connectivity=1)
    hits, total = 0, 0
    for y, x in np.argwhere(inner):
        right, below = truth[y, x : x + 2], truth[y : y + 2, x]
        if right[-1] == right[0] and below[-1] == below[0]:
            continue
        total += 1
        hits += _near(labels, y, x, 1)
    recall = superpixel.boundary_recall(labels, truth, tolerance_px=1)
    assert recall == pytest.approx(hits / total)


def _near(labels, y, x, reach):
    for row in range(max(0, y - reach), min(labels.shape[0], y + reach + 1)):
        for col in range(max(0, x - reach), min(labels.shape[1], x + reach + 1)):
            right, below = labels[row, col : col + 2], labels[row : row + 2, col]
            if right[-1] != right[0] or below[-1] != below[0]:
                return True
    return False


@pytest.mark.parametrize(
    ("labels", "truth"),
    [(HALVES, HALVES[:3]), (HALVES * 0.5, HALVES), (HALVES[None], HALVES)],
)
def test_maps_that_do_not_fit_are_refused(labels, truth):
    with pytest.raises(ValueError, match="Received"):
        superpixel.achievable_accuracy(labels, truth)


def test_an_unknown_form_is_refused():
    with pytest.raises(ValueError, match="Received: form='free'"):
        superpixel.undersegmentation_error(HALVES, HALVES, form="free")
