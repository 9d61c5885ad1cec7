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


def test_without_a_probable_pixel_there_is_nothing():
    found = stars.decode(np.full([4, 5, 1], -9.0), np.ones([4, 5, 8]))
    assert len(found.points) == 0
    assert not stars.to_label_map(found, (4, 5)).any()
    assert stars.to_instances(found, (4, 5)).masks.shape == (0, 4, 5)
