"""StarDist's distances and probabilities against slow geometry."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from kerasseg.instance import star_distances as targets
from tests.instance.pictures import discs


def march(labels, x, y, angle, step=1e-3):
    """Distance by small steps along a ray."""
    own, distance = labels[y, x], 0.0
    while True:
        at = [
            int(np.floor(c + 0.5 + distance * d))
            for c, d in ((y, np.sin(angle)), (x, np.cos(angle)))
        ]
        outside = min(at) < 0 or at[0] >= labels.shape[0] or at[1] >= labels.shape[1]
        if outside or labels[tuple(at)] != own:
            return distance
        distance += step


@settings(max_examples=20, deadline=None)
@given(arrays("int64", (5, 6), elements=st.integers(-1, 2)), st.integers(3, 9))
def test_distances_are_those_of_small_steps(labels, num_rays):
    found = targets.star_distances(labels, num_rays)
    assert not found[labels <= 0].any()
    # A ray that is 1e-9 off a corner is not one through it: none of these angles is.
    angles = targets.ray_angles(num_rays)
    for y, x in np.argwhere(labels > 0)[:4]:
        for ray, angle in enumerate(angles):
            if abs(np.sin(4 * angle)) > 1e-6:  # corners are another test
                expected = march(labels, x, y, angle)
                assert found[y, x, ray] == pytest.approx(expected, abs=2e-3)


def test_in_a_square_rays_end_at_its_sides_and_corners():
    labels = np.zeros([9, 9], int)
    labels[2:7, 2:7] = 3
    found = targets.star_distances(labels, 8)[4, 4]
    np.testing.assert_allclose(found, [2.5, 2.5 * 2**0.5] * 4, rtol=1e-6)


def test_touching_objects_and_the_border_end_rays():
    labels = np.array([[1, 1, 1, 2, 2, 2, 2]])
    found = targets.star_distances(labels, 4)[0]
    np.testing.assert_array_equal(found[1], [1.5, 0.5, 1.5, 0.5])
    np.testing.assert_array_equal(found[4], [2.5, 0.5, 1.5, 0.5])


def test_a_grid_takes_every_other_pixel(rng):
    labels = np.kron(rng.integers(0, 4, [3, 4]), np.ones([3, 3], int))[:9, :11]
    whole, half = (targets.star_targets(labels, 8, grid=g) for g in (1, 2))
    for name, values in whole.items():
        np.testing.assert_array_equal(half[name], values[::2, ::2])
        assert values.dtype == "float32"
    assert half["distances"].shape == (5, 6, 8)


def test_probabilities_are_the_distances_to_what_is_not_the_object():
    labels = discs((40, 50), [(12, 14, 9), (27, 14, 7), (30, 37, 8), (49, 5, 6)])
    found = targets.object_probabilities(labels)
    for number in range(1, 5):
        mask = labels == number
        # The world beyond the image counts as neither: as if it went on far away.
        depth = ndimage.distance_transform_edt(np.pad(mask, 60, "edge"))[60:-60, 60:-60]
        expected = (depth * mask / depth[mask].max())[mask]
        np.testing.assert_allclose(found[mask], expected, rtol=1e-6)
    assert not found[labels == 0].any()
    assert (targets.object_probabilities(np.full([3, 4], 5)) == 1).all()
    assert not targets.object_probabilities(np.zeros([3, 4], int)).any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: targets.star_distances(np.zeros([2, 2])), "dtype=float64"),
        (lambda: targets.star_distances(np.zeros([2, 2], int), 2), "Received: 2"),
        (lambda: targets.star_distances(np.zeros([2, 2], int), grid=3), "grid=3"),
        (lambda: targets.object_probabilities(np.zeros(2, int)), r"shape=\(2,\)"),
    ],
)
def test_wrong_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
