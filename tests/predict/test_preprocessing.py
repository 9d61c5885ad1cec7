"""Images made fit for a model: numbers, channels and sides."""

import cv2
import numpy as np
import pytest

from kerasseg import predict
from kerasseg.predict import preprocessing
from kerasseg.predict.preprocessing import fit_sides
from tests.predict.models import conv_model


@pytest.mark.parametrize(
    "dtype, factor", [("uint16", 257), ("float64", 1), ("int32", 1)]
)
def test_every_dtype_means_the_same_brightness(model, dtype, factor, rng):
    image = rng.integers(0, 256, [8, 9, 3], "uint8")
    same = image.astype(dtype) * np.array(factor, dtype)
    found = predict.probabilities(model, same)
    np.testing.assert_allclose(found, predict.probabilities(model, image), atol=1e-4)


def test_grey_is_repeated_for_a_color_model(model, rng):
    grey = rng.integers(0, 256, [8, 9], "uint8")
    expected = predict.class_ids(model, np.stack([grey] * 3, -1))
    np.testing.assert_array_equal(predict.class_ids(model, grey), expected)
    np.testing.assert_array_equal(predict.class_ids(model, grey[..., None]), expected)


def test_color_becomes_grey_for_a_grey_model(rng):
    image = rng.integers(0, 256, [8, 9, 3], "uint8")
    grey = preprocessing.prepare(image, 1)[..., 0]
    assert np.abs(grey - cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)).max() <= 0.51
    assert predict.class_ids(conv_model(channels=1), image).shape == (8, 9)


@pytest.mark.parametrize(
    "image, message",
    [
        (np.zeros([4, 4, 4]), "must have 3 channels"),
        (np.zeros([0, 4, 3]), "must be an array"),
        (np.zeros([2, 4, 4, 3]), "must be an array"),
        (np.full([4, 4], np.nan), "must be finite"),
        (np.array([["a"]]), "must be an array"),
    ],
)
@pytest.mark.parametrize("tile_px", [None, 2])
def test_unusable_images_are_refused(model, image, message, tile_px):
    with pytest.raises(ValueError, match=message):
        predict.class_ids(model, image, tile_px=tile_px)


@pytest.mark.parametrize(
    ("given", "sides", "inner", "padded"),
    [
        ((480, 640), (800, 1333), (800, 1066), (800, 1088)),
        ((200, 1000), (800, 1333), (266, 1333), (288, 1344)),
        ((64, 96), (64, 96), (64, 96), (64, 96)),
    ],
)
def test_the_longer_side_limits_the_shorter_one(given, sides, inner, padded):
    fitted, found = fit_sides(np.ones((*given, 1), "float32"), sides, fill=7.0)
    assert (found, fitted.shape[:2]) == (inner, padded)
    assert (fitted[: inner[0], : inner[1]] == 1).all()
    assert (fitted[inner[0] :] == 7).all() and (fitted[:, inner[1] :] == 7).all()
