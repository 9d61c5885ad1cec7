"""StarDist's distances and polygons, against geometry done the slow way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from skimage import measure

from kerasseg.instance import star_distances as targets
from kerasseg.instance import star_polygons as stars
from kerasseg.metrics.instances import iou_table


def discs(size, circles):
    """Label map of (x, y, radius), each pixel to the nearest centre that has it."""
    y, x = np.indices(size)
    far = np.array([np.hypot(x - cx, y - cy) / r for cx, cy, r in circles])
    return np.where(far.min(0) <= 1, far.argmin(0) + 1, 0)


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
    angles = targets.angles_of(num_rays)
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


def test_a_star_of_exact_distances_is_its_convex_object():
    labels = discs((64, 64), [(20, 22, 14), (45, 40, 11.5), (5, 50, 9)])
    distances = targets.star_distances(labels, 64)
    points = np.array([[20, 22], [45, 40], [5, 50]])
    polygons = stars.Polygons(points, distances[points[:, 1], points[:, 0]], np.ones(3))
    iou = iou_table(labels, stars.to_label_map(polygons, labels.shape))
    assert np.diag(iou).min() > 0.95


@settings(max_examples=40, deadline=None)
@given(arrays("float32", st.integers(3, 12), elements=st.floats(1, 9, width=32)))
def test_drawn_pixels_are_those_inside_the_polygon(distances):
    found = stars.draw(distances[None], 10)[0]
    angles = targets.angles_of(len(distances))
    corners = distances[:, None] * np.stack([np.sin(angles), np.cos(angles)], 1)
    pixels = np.argwhere(np.ones([21, 21])) - 10
    expected = measure.points_in_poly(pixels, corners).reshape(21, 21)
    # Pixels on the outline may count as inside or not: leave out the nearest ones.
    grown, shrunk = (
        measure.points_in_poly(pixels, corners * f).reshape(21, 21)
        for f in (1.001, 0.999)
    )
    sure = grown == shrunk
    np.testing.assert_array_equal(found[sure], expected[sure])
    assert found[10, 10]


def greedy(polygons, threshold, size):
    """Non-maximum suppression with whole masks."""
    masks = stars.to_instances(polygons, size).masks
    kept = []
    for i in np.argsort(-polygons.scores, kind="stable"):
        shares = [
            (masks[i] & masks[j]).sum() / min(masks[i].sum(), masks[j].sum())
            for j in kept
        ]
        if not any(share > threshold for share in shares):
            kept.append(i)
    return kept


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.6])
def test_suppression_is_greedy_over_whole_masks(rng, monkeypatch, threshold):
    monkeypatch.setattr(stars, "_MEMORY", 3000)  # several parts
    for num in (1, 7, 60):
        polygons = stars.Polygons(
            rng.integers(15, 65, [num, 2]),
            rng.uniform(1, 12, [num, 1]) * rng.uniform(0.7, 1.2, [num, 9]),
            rng.uniform(0, 1, num),
        )
        found = stars.suppress(polygons, threshold=threshold)
        assert found.tolist() == greedy(polygons, threshold, (80, 80))


@pytest.mark.parametrize("grid", [1, 2])
def test_perfect_outputs_give_the_label_map_back(grid):
    circles = [(20, 20, 12), (43, 20, 11), (20, 44, 12.5), (52, 50, 9), (62, 5, 8)]
    labels = discs((64, 70), circles)
    truth = targets.star_targets(labels, 32, grid=grid)
    sure = np.clip(truth["probabilities"], 1e-6, 1 - 1e-6)
    logits = np.log(sure) - np.log1p(-sure)
    found = stars.decode(logits, truth["distances"], grid=grid)
    assert (np.diff(found.scores) <= 0).all()
    iou = iou_table(labels, stars.to_label_map(found, labels.shape))
    assert iou.shape == (5, 5)
    assert iou.max(1).min() > 0.9
    instances = stars.to_instances(found, labels.shape)
    np.testing.assert_array_equal(
        instances.to_label_map(), stars.to_label_map(found, labels.shape)
    )


def test_without_a_probable_pixel_there_is_nothing():
    found = stars.decode(np.full([4, 5, 1], -9.0), np.ones([4, 5, 8]))
    assert len(found.points) == 0
    assert not stars.to_label_map(found, (4, 5)).any()
    assert stars.to_instances(found, (4, 5)).masks.shape == (0, 4, 5)


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
