"""Maps of StarDist averaged over views."""

import cv2
import numpy as np
import pytest

from kerasseg.instance.star_distances import star_targets
from kerasseg.predict.star_views import averaged


def exact(num_rays, grid):
    """A model that finds all of an image whose numbers are the ids of its objects."""

    def maps_of(image):
        truth = star_targets(image[..., 0].astype("int32"), num_rays, grid=grid)
        return truth["probabilities"][..., 0], truth["distances"], grid

    return maps_of


@pytest.fixture
def ids():
    """Function of a size: objects without symmetry, one of them at the border."""

    def draw(size):
        labels = np.zeros(size, "int32")
        cv2.ellipse(labels, (10, 8), (9, 4), 25, 0, 360, 1, -1)
        cv2.rectangle(labels, (0, 16), (6, 24), 2, -1)
        cv2.circle(labels, (size[1] - 9, size[0] - 8), 6, 3, -1)
        return labels[..., None].astype("float32")

    return draw


@pytest.mark.parametrize("grid", [1, 2])
@pytest.mark.parametrize("size", [(32, 40), (33, 41), (32, 41), (35, 28)])
@pytest.mark.parametrize("flips", ["horizontal", "both", "all"])
def test_views_of_a_perfect_model_agree(ids, flips, size, grid):
    image, maps_of = ids(size), exact(16, grid)
    scores, distances, _ = maps_of(image)
    found = averaged(maps_of, image, flips)
    np.testing.assert_allclose(found[0], scores, atol=1e-6)
    np.testing.assert_allclose(found[1], distances, atol=1e-4)
    assert found[2] == grid


def test_distances_are_weighted_by_what_sees_an_object():
    seen = iter([(0.9, 4.0), (0.3, 8.0)])

    def maps_of(image):
        score, distance = next(seen)
        shape = image.shape[:2]
        return (
            np.full(shape, score, "float32"),
            np.full([*shape, 4], distance, "float32"),
            1,
        )

    scores, distances, _ = averaged(maps_of, np.zeros([2, 3, 1]), True)
    np.testing.assert_allclose(scores, 0.6, atol=1e-6)
    np.testing.assert_allclose(distances, (0.9 * 4 + 0.3 * 8) / 1.2, atol=1e-5)


def test_rays_must_fall_on_rays(ids):
    image = ids((20, 20))
    averaged(exact(6, 1), image, "both")
    for num_rays, flips in ((6, "all"), (5, "horizontal")):
        with pytest.raises(ValueError, match=f"Received: {num_rays} rays"):
            averaged(exact(num_rays, 1), image, flips)
