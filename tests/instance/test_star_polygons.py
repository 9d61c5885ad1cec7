"""Star-convex polygons: pixels, suppression, and objects of perfect outputs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage import measure

from kerasseg.instance import star_distances as targets
from kerasseg.instance import star_polygons as stars
from kerasseg.metrics.instances import iou_table
from tests.instance.pictures import discs


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


def test_a_star_of_exact_distances_is_its_convex_object():
    labels = discs((64, 64), [(20, 22, 14), (45, 40, 11.5), (5, 50, 9)])
    distances = targets.star_distances(labels, 64)
    points = np.array([[20, 22], [45, 40], [5, 50]])
    polygons = stars.Polygons(points, distances[points[:, 1], points[:, 0]], np.ones(3))
    iou = iou_table(labels, stars.to_label_map(polygons, labels.shape))
    assert np.diag(iou).min() > 0.95


@settings(max_examples=40, deadline=None)
@given(arrays("float32", st.integers(3, 12), elements=st.floats(1, 9, width=32)))
def test_rasterized_pixels_are_those_inside_the_polygon(distances):
    found = stars.rasterize(distances[None], 10)[0]
    angles = targets.ray_angles(len(distances))
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


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.6])
def test_suppression_is_greedy_over_whole_masks(rng, monkeypatch, threshold):
    monkeypatch.setattr(stars, "_MAX_PIXELS", 3000)  # several blocks
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


@pytest.mark.parametrize("num_rays", [16, 32, 128])
def test_one_circle_is_the_same_from_each_of_its_points(rng, num_rays):
    points = rng.integers(12, 29, [20, 2])  # of a circle of radius 15 around (20, 20)
    inside = np.linalg.norm(points - 20, axis=1) < 14
    points = np.concatenate([[[20, 20]], points[inside]])
    rays = targets.ray_angles(num_rays)
    rays = np.stack([np.cos(rays), np.sin(rays)], -1)
    along = ((20 - points)[:, None] * rays).sum(-1)
    apart = ((20 - points) ** 2).sum(-1)[:, None]
    distances = along + np.sqrt(along**2 - apart + 15**2)
    seen = stars._seen_from(points[0], points, distances)
    # Outlines of R corners stay inside of their circle, farthest where R is small.
    assert seen.max() <= 15 + 1e-6
    assert seen.min() > {16: 11.5, 32: 14, 128: 14.9}[num_rays]
    np.testing.assert_allclose(seen[0], 15)


def test_rays_that_meet_no_outline_have_length_zero():
    seen = stars._seen_from(np.zeros(2), np.array([[10, 0]]), np.full([1, 8], 2.0))
    assert seen[0, 0] == pytest.approx(12) and not seen[0, 1:].any()


def test_a_vote_mends_outlines_that_single_pixels_get_wrong(rng):
    labels = discs((64, 70), [(20, 20, 12), (43, 20, 11), (20, 44, 12.5), (52, 50, 9)])
    truth = targets.star_targets(labels, 32)
    sure = np.clip(truth["probabilities"], 1e-6, 1 - 1e-6)
    logits = np.log(sure) - np.log1p(-sure)
    noise = rng.choice([0.6, 1.0, 1.5], [*truth["distances"].shape[:2], 1])
    noisy = truth["distances"] * noise
    plain, voted = (
        iou_table(labels, stars.to_label_map(found, labels.shape)).max(1)
        for found in (stars.decode(logits, noisy, vote=vote) for vote in (False, True))
    )
    assert voted.min() > 0.8 > plain.min()


def test_the_weighted_median_is_that_of_repeated_values(rng):
    values, weights = rng.uniform(0, 9, [9, 5]), rng.integers(1, 6, 9)
    weights[0] += 1 - weights.sum() % 2  # an odd sum has one middle
    expected = np.median(np.repeat(values, weights, axis=0), axis=0)
    np.testing.assert_allclose(stars._weighted_median(values, weights), expected)


def test_without_a_probable_pixel_there_is_nothing():
    nothing = np.full([4, 5, 1], -9.0), np.ones([4, 5, 8])
    assert len(stars.decode(*nothing, vote=True).points) == 0
    found = stars.decode(*nothing)
    assert len(found.points) == 0
    assert not stars.to_label_map(found, (4, 5)).any()
    assert stars.to_instances(found, (4, 5)).masks.shape == (0, 4, 5)
