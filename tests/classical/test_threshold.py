"""Thresholds against OpenCV and scikit-image."""

import itertools

import cv2
import numpy as np
import pytest
from skimage import data, filters

from kerasseg import classical, images
from tests.classical.pictures import HALVES, disks


def test_otsu_equals_opencv():
    image = data.camera()[::4, ::4]
    _, expected = cv2.threshold(image, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    np.testing.assert_array_equal(classical.threshold(image), expected)


def test_multi_otsu_equals_skimage():
    image = data.camera()[::4, ::4]
    limits = filters.threshold_multiotsu(image, 3)
    labels = classical.threshold(image, method="multi_otsu")
    # Their histogram is of 256 bins of the image's own range: a bin at most apart.
    differs = labels != np.digitize(image, limits, right=True)
    assert differs.mean() < 0.01


@pytest.mark.parametrize("num_classes", [2, 3, 4])
def test_thresholds_leave_the_least_variance_of_all(num_classes, rng):
    image = rng.integers(0, 12, [6, 7]).astype("uint8") ** 2
    labels = classical.threshold(image, method="multi_otsu", num_classes=num_classes)

    def variance(labels):
        parts = [image[labels == k].astype(float) for k in np.unique(labels)]
        return sum(part.size * part.var() for part in parts)

    choices = itertools.combinations(np.unique(image)[:-1], num_classes - 1)
    every = [variance(np.digitize(image, limits, right=True)) for limits in choices]
    assert variance(labels) == pytest.approx(min(every))


def test_adaptive_finds_spots_under_uneven_light():
    spots = disks((15, 15, 4), (15, 70, 4), (45, 40, 4))
    image = (np.linspace(0, 150, 90) + 60 * spots).astype("uint8")
    options = {"method": "adaptive", "block_size": 31, "offset": 15.0}
    found = classical.threshold(images.scale(image, (0, 255)), **options)
    np.testing.assert_array_equal(found == 1, spots)
    assert (classical.threshold(image) != found).mean() > 0.2


@pytest.mark.parametrize("options", [{"block_size": 4}, {"method": "mean"}])
def test_threshold_refuses_bad_options(options):
    with pytest.raises(ValueError, match="Received"):
        classical.threshold(HALVES, **options)
