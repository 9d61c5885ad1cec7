"""Colours and stored numbers of masks to class ids."""

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from kerasseg.images import ImageError, read_mask

COLORS = {(0, 0, 0): 0, (128, 0, 0): 1, (0, 128, 0): 2, (224, 224, 192): 255}


@pytest.fixture
def mask_file(tmp_path):
    """Function (pixels, name) -> path of a file that holds them."""

    def write(pixels, name="mask.png"):
        Image.fromarray(np.asarray(pixels, np.uint8)).save(tmp_path / name)
        return tmp_path / name

    return write


def test_colours_become_the_ids_of_the_map(mask_file):
    file = mask_file([list(COLORS), list(COLORS)[::-1]])
    expected = [[0, 1, 2, 255], [255, 2, 1, 0]]
    label = read_mask(file, colors=COLORS)
    assert label.dtype == np.int32
    assert label.tolist() == expected


def test_a_sequence_of_colours_counts_from_zero(mask_file):
    file = mask_file([[[0, 0, 0], [128, 0, 0], [0, 128, 0]]])
    assert read_mask(file, colors=list(COLORS)[:3]).tolist() == [[0, 1, 2]]


def test_each_pixel_of_a_random_mask_gets_the_id_of_its_colour(mask_file):
    expected = np.random.default_rng(0).integers(0, 3, (65, 97))
    file = mask_file(np.array(list(COLORS))[expected])
    np.testing.assert_array_equal(read_mask(file, colors=COLORS), expected)


def test_unknown_colours_are_listed_with_their_counts(mask_file):
    file = mask_file([[[0, 0, 0], [1, 2, 3], [1, 2, 3], [9, 9, 9]]])
    match = r"\(1, 2, 3\) \(2 pixels\), \(9, 9, 9\) \(1 pixels\)"
    with pytest.raises(ImageError, match=match):
        read_mask(file, colors=COLORS)


def test_colours_without_a_map_are_refused(mask_file):
    file = mask_file([[[0, 0, 0], [128, 0, 0]]])
    with pytest.raises(
        ImageError, match=r"2 colours: \(0, 0, 0\), \(128, 0, 0\).*colors="
    ):
        read_mask(file)


def test_equal_channels_are_grey(mask_file):
    grey = np.array([[0, 1], [7, 255]])
    np.testing.assert_array_equal(read_mask(mask_file(np.stack([grey] * 3, 2))), grey)


def test_palette_files_are_looked_up_by_colour_when_there_is_a_map(tmp_path):
    image = Image.fromarray(np.array([[0, 1]], np.uint8))
    image.putpalette([0, 128, 0, 128, 0, 0])  # entry 0 is green, which is class 2
    image.save(tmp_path / "mask.png")
    assert read_mask(tmp_path / "mask.png", colors=COLORS).tolist() == [[2, 1]]


def test_values_map_numbers_to_ids(mask_file):
    file = mask_file([[0, 255], [255, 0]])
    assert read_mask(file).tolist() == [[0, 255], [255, 0]]
    assert read_mask(file, values={0: 1, 255: 0}).tolist() == [[1, 0], [0, 1]]


def test_spans_of_values_read_soft_masks(mask_file):
    file = mask_file([[0, 127, 128, 255]])
    label = read_mask(file, values={"0-127": 0, "128-255": 1})
    assert label.tolist() == [[0, 0, 1, 1]]


def test_numbers_outside_the_map_are_refused(mask_file):
    with pytest.raises(ImageError, match=r"254 \(2 pixels\)"):
        read_mask(mask_file([[0, 254, 254, 255]]), values={0: 0, 255: 1})


def test_negative_numbers_need_a_map(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.array([[-1, 0, 3]], np.int16))
    with pytest.raises(ImageError, match="from -1 to 3"):
        read_mask(tmp_path / "a.tif")
    label = read_mask(tmp_path / "a.tif", values={-1: 255, "0-3": 1})
    assert label.tolist() == [[255, 1, 1]]


def test_jpeg_masks_need_spans(mask_file):
    file = mask_file(np.kron([[0, 255]], np.ones((16, 16))), "mask.jpg")
    with pytest.raises(ImageError, match="lossless format such as PNG"):
        read_mask(file)
    label = read_mask(file, values={"0-127": 0, "128-255": 1})
    np.testing.assert_array_equal(label, np.kron([[0, 1]], np.ones((16, 16))))


def test_float_masks_of_whole_numbers_are_ids(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.array([[0, 2]], np.float32))
    assert read_mask(tmp_path / "a.tif").tolist() == [[0, 2]]
    tifffile.imwrite(tmp_path / "a.tif", np.array([[0, 0.5]], np.float32))
    with pytest.raises(ImageError, match="whole numbers"):
        read_mask(tmp_path / "a.tif")


@pytest.mark.parametrize(
    "options",
    [
        {"colors": {(0, 0, 256): 0}},
        {"colors": {(0, 0): 0}},
        {"colors": {(0, 0, 0): -1}},
        {"colors": 3},
        {"colors": [(1, 1, 1), (1, 1, 1)]},
        {"values": {}},
        {"values": {"black": 0}},
        {"values": {"0-5": 0, 5: 1}},
        {"values": {0: -1}},
        {"values": {0: 0, 255: 1.5}},
        {"values": {0: 0, 255: "cell"}},
        {"colors": {(0, 0, 0): 0.5}},
        {"colors": "#000000,#ffffff"},
        {"values": {0: 0}, "colors": COLORS},
    ],
)
def test_malformed_maps_are_refused(mask_file, options):
    with pytest.raises(ValueError, match="Received") as caught:
        read_mask(mask_file([[0]]), **options)
    assert not isinstance(caught.value, ImageError)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # a folder for all
)
@given(
    values=st.dictionaries(st.integers(0, 255), st.integers(0, 300), min_size=1),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_map_of_values_is_the_lookup_of_numpy(mask_file, values, seed):
    stored = np.random.default_rng(seed).choice(list(values), (7, 9))
    table = np.zeros(256, int)
    table[list(values)] = list(values.values())
    label = read_mask(mask_file(stored), values=values)
    np.testing.assert_array_equal(label, table[stored])


def test_a_last_axis_of_one_is_no_band(tmp_path):
    ids = np.arange(12).reshape(3, 4, 1)
    np.save(tmp_path / "mask.npy", ids)
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.npy"), ids[..., 0])


@pytest.mark.parametrize("bands, high", [(3, 1), (5, 1), (5, 255)])
def test_one_hot_masks_are_told(tmp_path, rng, bands, high):
    one_hot = np.eye(bands, dtype="uint8")[rng.integers(0, bands, (6, 7))] * high
    np.save(tmp_path / "mask.npy", one_hot)
    with pytest.raises(ImageError, match=r"one-hot.*numpy.argmax\(mask, 2\)"):
        read_mask(tmp_path / "mask.npy")


def test_masks_in_red_green_and_blue_are_colours(mask_file):
    with pytest.raises(ImageError, match="colors="):
        read_mask(mask_file(np.eye(3)[[[0, 1, 2, 1]]] * 255))


@pytest.mark.parametrize(
    "mask, fix",
    [
        ([[0.2, 0.9]], r"\(mask > 0.5\)"),
        ([[0.5, 1.5]], r"16-bit PNG\.$"),
        ([[np.nan, 1]], "nan_to_num"),
    ],
)
def test_masks_that_are_no_whole_numbers_get_a_fix_that_helps(tmp_path, mask, fix):
    np.save(tmp_path / "mask.npy", mask)
    with pytest.raises(ImageError, match=fix):
        read_mask(tmp_path / "mask.npy")
