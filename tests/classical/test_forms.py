"""Forms of one picture, as dtypes, scales and offsets, give one result."""

import numpy as np
import pytest

from kerasseg import classical, images
from tests.classical.test_bad_input import CLASSES, PARTITIONS

METHODS = {**PARTITIONS, **CLASSES}


def picture(rng):
    """Dim grey noise with two rare bright squares: uint8, not of full range."""
    image = np.clip(rng.normal(20, 2, [48, 64]), 0, 255)
    image[8:12, 8:12] += 180
    image[30:34, 40:44] += 150
    return image.round().astype("uint8")


FORMS = {
    "uint16": lambda image: image.astype("uint16") * 257,
    "12 bits": lambda image: image.astype("uint16") * 16,
    "int32": lambda image: image.astype("int32") * 257,
    "0..1": lambda image: image / 255,
    "float32 in 0..1": lambda image: (image / 255).astype("float32"),
    "0..255": lambda image: image.astype("float32"),
    "offset": lambda image: image * 0.013 - 7.1,
    "negative": lambda image: image.astype("int16") - 1000,
    "large": lambda image: image * 1e9,
}


@pytest.mark.parametrize("name", sorted(METHODS))
@pytest.mark.parametrize("shape", ["grey", "RGB"])
def test_forms_of_one_picture_give_one_result(name, shape, rng):
    image = picture(rng)
    if shape == "RGB":
        image = np.stack([image, image[::-1], image // 2], 2)
    expected = METHODS[name](image)
    for form, convert in FORMS.items():
        np.testing.assert_array_equal(METHODS[name](convert(image)), expected, form)


@pytest.mark.parametrize("method", ["otsu", "multi_otsu"])
def test_small_bright_objects_are_found_in_16_bits(method, rng):
    # scikit-image#3975: percentiles clip objects of less than half a percent.
    image = picture(rng).astype("uint16") * 257
    found = classical.threshold(image, method=method, num_classes=2)
    np.testing.assert_array_equal(found, image > 100 * 257)
    assert found.sum() == 32


def test_dim_pictures_keep_their_levels_beside_a_hot_pixel():
    # 200 and 210 of 65535 are one step of 1/255; Otsu must still tell them apart.
    image = np.where(np.arange(60) < 30, 200, 210).astype("uint16")[None].repeat(9, 0)
    image[4, 50] = 65535
    labels = classical.threshold(image, method="multi_otsu", num_classes=3)
    assert labels[0, 0] == 0 and labels[0, 40] == 1 and labels[4, 50] == 2


def test_multi_otsu_of_many_levels_equals_the_one_of_few(rng):
    means = np.repeat([2000.0, 9000.0, 30000.0], 3000)
    image = (means + rng.normal(0, 300, means.size)).reshape(90, 100).astype("uint16")
    labels = classical.threshold(image, method="multi_otsu", num_classes=3)
    np.testing.assert_array_equal(labels.ravel(), np.repeat([0, 1, 2], 3000))


def test_a_given_range_is_kept():
    dim = np.array([[0, 10], [5, 20]], "uint16")
    scaled = images.scale(dim, (0, 255))
    adaptive = {"method": "adaptive", "block_size": 3, "offset": 30.0}
    assert classical.threshold(scaled, **adaptive).max() == 0  # differences below 30
    assert classical.threshold(dim, **adaptive).max() == 1
