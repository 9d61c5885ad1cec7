"""The rule of value ranges: what is known, what is asked, what is refused."""

import numpy as np
import pytest

from kerasseg.images import DataRange, scale, values

BYTES = np.array([[0, 17, 100, 250]], "uint8")


@pytest.mark.parametrize(
    "image",
    [
        BYTES,
        BYTES.astype("uint16") * 257,
        BYTES.astype("int32"),
        BYTES.astype("int32") * 257,
        BYTES.astype("float32"),
        BYTES.astype("float64") * 257,
        BYTES / 255,
        (BYTES / 255).astype("float16").astype("float32"),
    ],
    ids=lambda image: f"{image.dtype} to {image.max():.4g}",
)
def test_forms_of_one_picture_give_the_same_numbers(image):
    np.testing.assert_allclose(scale(image), BYTES, atol=0.05)  # float16: 11 bits


@pytest.mark.parametrize(
    "image, fix",
    [
        (np.array([[0, 255]], "uint16"), "0,255"),
        (np.array([[0, 700]], "uint16"), "0,1023"),
        (np.array([[3, 3021]], "uint16"), "0,4095"),
        (np.array([[3, 9000]], "uint16"), "0,16383"),
        (np.array([[3, 3021]], "float32"), "0,4095"),
        (np.array([[-1, 1.0]]), "-1,1"),
        (np.array([[-1000, 3000]], "int16"), "-1000,3000"),
        (np.array([[0, 1]]), "0,1"),
        (np.array([[0, 1.7]]), "0,255"),
        (np.array([[0, 70000]]), "0,70000"),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value.dtype),
)
def test_what_cannot_be_known_is_asked_with_the_line_to_paste(image, fix):
    with pytest.raises(ValueError, match="must be given") as caught:
        scale(image)
    text = str(caught.value)
    assert f"value_range=({fix.replace(',', ', ')})" in text
    assert f"--set 'data.value_range=[{fix}]'" in text


def test_a_range_that_is_given_maps_black_to_0_and_white_to_255():
    found = scale(np.array([[-1024, 3071, 0]], "int16"), (-1024, 3071))
    np.testing.assert_allclose(found, [[0, 255, 255 * 1024 / 4095]], rtol=1e-6)


def test_numbers_outside_of_a_given_range_are_refused():
    with pytest.raises(ValueError, match=r"range, 0..4095.*uint16 within 0..5000"):
        scale(np.array([[0, 5000]], "uint16"), (0, 4095))
    with pytest.raises(ValueError, match=r"range, 0..255.*float64 within 0..0.5"):
        scale(np.array([[0, 0.5]]), (0, 255))
    for value_range in ((0, 255), (0, 4095)):  # one percent forgives more than these
        with pytest.raises(ValueError, match="all alike"):
            scale(np.array([[-1.9, 2.3]]), value_range)


def test_a_range_of_other_images_leaves_dtypes_that_say_their_own():
    for value_range in ((0, 4095), (0, 1), (-1, 1)):
        np.testing.assert_array_equal(scale(BYTES, value_range), BYTES)
    deep = BYTES.astype("uint16") * 257
    np.testing.assert_array_equal(scale(deep, (0, 1)), BYTES)
    np.testing.assert_array_equal(scale(BYTES, (0, 250)), BYTES / np.float32(250 / 255))


@pytest.mark.parametrize("value_range", [5, (1,), (3, 2), (0, np.inf), "ab", (0, 0)])
def test_what_is_no_range_is_refused(value_range):
    with pytest.raises(ValueError, match="`value_range` must be two numbers"):
        scale(BYTES, value_range)


def test_a_scaled_image_keeps_its_range_and_results_forget_it():
    dim = scale(np.array([[0, 40], [80, 90]], "uint16"), (0, 65535))
    np.testing.assert_array_equal(scale(dim[:1]), dim[:1])
    assert type(dim / 255) is np.ndarray
    assert type(dim.max()) is np.float32


def test_images_of_one_data_set_have_one_range():
    one = DataRange()
    assert one.scale(np.zeros([1, 2], "uint16")).max() == 0  # tells nothing
    bright, dim = np.array([[0, 65535]], "uint16"), np.array([[0, 257]], "uint16")
    np.testing.assert_array_equal(one.scale(bright), [[0, 255]])
    np.testing.assert_array_equal(one.scale(dim), [[0, 1]])
    with pytest.raises(ValueError, match="must be given"):
        DataRange().scale(dim)
    unit = DataRange()
    unit.scale(np.array([[0, 0.5]]))
    with pytest.raises(ValueError, match=r"range, 0..1, all alike"):
        unit.scale(np.array([[0, 200.0]]))


def test_images_of_8_bits_beside_wider_ones_are_of_the_same_dtype():
    one = DataRange((0, 4095))
    dim, stained = one.scale(np.array([[0, 4095]], "uint16")), one.scale(BYTES)
    assert dim.dtype == stained.dtype == "float32"
    np.testing.assert_array_equal(stained, BYTES)
    assert DataRange((0, 255)).scale(BYTES).dtype == "uint8"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(bad):
    with pytest.raises(ValueError, match="must be finite"):
        scale(np.array([[0.5, bad]]))


def test_dtypes_are_told_from_numbers_alone():
    assert values.range_from_extent("uint16", 0, 65535) == (0, 65535)
    assert values.range_from_extent("bool", 0, 1) == (0, 1)
    assert values.range_from_extent("float32", -0.004, 1.002, False) == (0, 1)


def test_floats_that_would_be_black_are_asked():
    faint = BYTES * 1e-6
    with pytest.raises(ValueError, match=r"value_range=\(0, 0.00025\)"):
        scale(faint)
    np.testing.assert_allclose(scale(faint, (0, 255e-6)), BYTES, rtol=1e-5)


def test_percentiles_are_numpy_s_of_all_channels_together():
    image = np.random.default_rng(0).integers(0, 4096, [9, 11, 3]).astype("uint16")
    low, high = np.percentile(image, (1, 99.8))
    found = values.between_percentiles(image, (1, 99.8))
    np.testing.assert_allclose(found, 255 * (image - low) / (high - low), atol=1e-3)
    assert values.scale(found) is found  # known to be scaled
    assert not values.between_percentiles(np.full([4, 4], 7), (1, 99)).any()


def test_numbers_beyond_a_range_name_one_that_would_do():
    with pytest.raises(ValueError, match=r"all another: value_range=\(0, 16383\)"):
        scale(np.array([[0, 12000]], "uint16"), (0, 4095))
    with pytest.raises(ValueError, match=r"all another: value_range=\(black, white\)"):
        scale(np.array([[0, 1.5]], "float32"), (0, 1))
