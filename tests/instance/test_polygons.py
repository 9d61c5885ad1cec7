"""Polygons of masks against pycocotools; hostile ones refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco

from kerasseg.instance.polygons import from_polygons, to_polygons

sizes = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)


bitmaps = arrays(bool, sizes)


@settings(max_examples=150, deadline=None)
@given(bitmaps)
def test_outlines_lose_no_pixel(mask):
    polygons = to_polygons(mask)
    if mask.any():
        code = coco.merge(coco.frPyObjects(polygons, *mask.shape))
        np.testing.assert_array_equal(coco.decode(code), mask)
    np.testing.assert_array_equal(from_polygons(polygons, mask.shape), mask)


def test_a_large_disk_with_holes_comes_back(rng):
    y, x = np.mgrid[:150, :200]
    mask = (y - 70) ** 2 + (x - 90) ** 2 < 65**2
    mask &= rng.random(mask.shape) > 0.02
    polygons = to_polygons(mask)
    np.testing.assert_array_equal(from_polygons(polygons, mask.shape), mask)


def test_outlines_run_along_pixel_sides_and_turn_only_at_corners():
    mask = np.zeros([6, 8], bool)
    mask[1:4, 2:7] = True
    (polygon,) = to_polygons(mask)
    corners = {(x, y) for x, y in zip(polygon[::2], polygon[1::2])}
    assert corners == {(2, 1), (7, 1), (2, 4), (7, 4)}
    assert len(polygon) == 8


def test_a_polygon_covers_the_pixels_whose_centres_it_contains():
    # The triangle x + y < 3: the centres of the diagonal (2.5 + .5) lie on its border.
    found = from_polygons([[0, 0, 2.9, 0, 0, 2.9]], (3, 4))
    expected = [[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_array_equal(found, expected)


def test_polygons_may_leave_the_image_and_add_up():
    square, corner = [-2, -2, 1, -2, 1, 1, -2, 1], [2, 1, 7, 1, 7, 3, 2, 3]
    found = from_polygons([square, corner], (3, 4))
    expected = [[1, 0, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(from_polygons([], (3, 4)), np.zeros([3, 4]))


@pytest.mark.parametrize(
    "polygon",
    [
        [0, 0, 1, 1],
        [0, 0, 1, 1, 2, 2, 3],
        [[0, 0], [1, 1], [2, 0]],
        [0, 0, 1, np.nan, 2, 2],
        [0, 0, 1, np.inf, 2, 2],
        [0, 0, 1e9, 0, 2, 2],
        [0, 0, "a", 0, 2, 2],
        None,
    ],
)
def test_wrong_polygons_are_refused(polygon):
    with pytest.raises(ValueError, match="olygon must be"):
        from_polygons([polygon], (8, 8))


def test_wrong_masks_and_sizes_are_refused():
    with pytest.raises(ValueError, match=r"Received: shape=\(2, 2, 1\)"):
        to_polygons(np.ones([2, 2, 1]))
    with pytest.raises(ValueError, match="at least 1 x 1"):
        from_polygons([], (10**6, 10**6))
