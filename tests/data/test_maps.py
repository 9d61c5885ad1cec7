"""Objects as maps: what StarDist and Panoptic-DeepLab learn, out of a pipeline."""

import numpy as np

from kerasseg import augment, data, datasets
from kerasseg.instance.panoptic import panoptic_targets
from kerasseg.instance.star_distances import star_targets


def sample():
    """Object 1 of class 2, a crowd 2 of class 1, and 3, which overlaps 1."""
    lower, upper = np.zeros([2, 6, 8], "int32")
    lower[1:4, 1:4], lower[4:, 6:] = 1, 2
    upper[3:5, 3:6] = 3
    classes, crowd = np.array([2, 1, 1]), np.array([0, 1, 0])
    return {"instances": np.stack([lower, upper]), "classes": classes, "crowd": crowd}


def test_maps_are_those_of_the_objects_that_are_no_crowds():
    whole = sample()
    labels = whole["instances"].max(0)
    things = np.where(labels == 2, 0, labels)
    for grid in (1, 2):
        found = data.stars(8, grid=grid)(whole)
        for name, expected in star_targets(things, 8, grid=grid).items():
            np.testing.assert_array_equal(found[name], expected)
    found = data.centers(sigma=2.0)(whole)
    for name, expected in panoptic_targets(things, sigma=2.0).items():
        np.testing.assert_array_equal(found[name], expected)
    np.testing.assert_array_equal(found["label"], np.array([0, 2, 255, 1])[labels])


def test_a_pipeline_makes_them_of_augmented_objects():
    samples = datasets.shapes(4, size=64)
    crop = augment.geometry(size=(32, 48), flip="both")
    batches = data.pipeline(samples, batch_size=2, augment=crop, objects=data.stars(4))
    images, truth = next(iter(batches))
    assert images.shape == (2, 32, 48, 3)
    assert truth["distances"].shape == (2, 32, 48, 4)
    inside = truth["probabilities"].numpy()[..., 0] > 0
    np.testing.assert_array_equal(truth["distances"].numpy().all(-1), inside)
    maps = data.pipeline(samples, batch_size=2, augment=crop, objects=data.centers())
    _, truth = next(iter(maps))
    np.testing.assert_array_equal(truth["label"].numpy() > 0, inside)
