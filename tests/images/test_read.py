"""Reading images and masks of every format, and listing those of a folder."""

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from kerasseg.images import ImageError, find_images, read_image, read_mask
from tests.images.drawn import IDS, QUADRANTS


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif", "a.webp", "a.ppm"])
def test_lossless_files_give_rgb_as_drawn(tmp_path, name):
    Image.fromarray(QUADRANTS).save(tmp_path / name, lossless=True)
    np.testing.assert_array_equal(read_image(tmp_path / name), QUADRANTS)


def test_jpeg_gives_rgb_within_its_loss(tmp_path):
    big = np.kron(QUADRANTS, np.ones((16, 16, 1), np.uint8))
    Image.fromarray(big).save(tmp_path / "a.jpg", quality=95, subsampling=0)
    difference = read_image(tmp_path / "a.jpg").astype(int) - big
    assert abs(difference).max() <= 4


def test_content_counts_not_the_extension(tmp_path):
    Image.fromarray(QUADRANTS).save(tmp_path / "a.jpg", "PNG")
    np.testing.assert_array_equal(read_image(tmp_path / "a.jpg"), QUADRANTS)


def test_one_channel_is_grey_by_the_usual_weights(tmp_path):
    Image.fromarray(QUADRANTS).save(tmp_path / "a.png")
    grey = read_image(tmp_path / "a.png", channels=1)
    assert grey.shape == (4, 6, 1)
    expected = QUADRANTS @ np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
    np.testing.assert_allclose(grey[..., 0], expected, atol=0.51)


def test_grey_files_are_repeated_or_kept_as_stored(tmp_path):
    Image.fromarray(IDS).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png", channels=None).shape == (2, 3, 1)
    image = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(image, np.stack([IDS] * 3, axis=2))


@pytest.mark.parametrize("channels", [0, -1, 2.0, True, "rgb"])
def test_channels_that_are_no_number_are_refused(channels):
    with pytest.raises(ValueError, match=f"Received: channels={channels!r}"):
        read_image("a.png", channels=channels)


def test_palette_file_is_colours_as_image_and_indices_as_mask(tmp_path):
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8))
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    image.save(tmp_path / "a.png", transparency=1)
    expected = [[[10, 20, 30], [40, 50, 60], [70, 80, 90]]]
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), expected)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png"), [[0, 1, 2]])


def test_one_bit_is_black_and_white_as_image_and_0_1_as_mask(tmp_path):
    Image.fromarray(np.array([[False, True]])).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png", channels=1).tolist() == [[[0], [255]]]
    assert read_mask(tmp_path / "a.png").tolist() == [[0, 1]]


def test_small_numbers_survive_in_16_bit_masks(tmp_path):
    ids = np.array([[0, 1, 2], [300, 5, 65535]], np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), ids)
    label = read_mask(tmp_path / "a.png")
    assert label.dtype == np.int32
    np.testing.assert_array_equal(label, ids)


@pytest.mark.parametrize("extension", ["png", "tif"])
def test_16_bit_colour_keeps_all_bits(tmp_path, extension):
    deep = QUADRANTS.astype(np.uint16) * 200 + 7
    file = tmp_path / f"a.{extension}"
    if extension == "tif":
        tifffile.imwrite(file, deep, photometric="rgb")
    else:
        cv2.imwrite(str(file), deep[..., ::-1])
    image = read_image(file)
    assert image.dtype == np.uint16
    np.testing.assert_array_equal(image, deep)


def test_alpha_is_dropped_without_changing_colours(tmp_path):
    alpha = np.arange(24, dtype=np.uint8).reshape(4, 6, 1)  # some pixels transparent
    Image.fromarray(np.concatenate([QUADRANTS, alpha], 2)).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), QUADRANTS)


def test_grey_with_alpha_is_grey(tmp_path):
    two = np.stack([IDS, 255 - IDS], axis=2)
    Image.fromarray(two, "LA").save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png", channels=None).shape == (2, 3, 1)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png"), IDS)


def test_cmyk_jpeg_becomes_rgb(tmp_path):
    big = Image.fromarray(np.full((16, 16, 3), (200, 100, 50), np.uint8))
    big.convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    assert abs(read_image(tmp_path / "a.jpg").astype(int) - [200, 100, 50]).max() <= 4


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_grey_tiff_keeps_its_dtype_and_numbers(tmp_path, dtype):
    image = np.linspace(0, 250, 12).reshape(3, 4).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", image)
    read = read_image(tmp_path / "a.tif", channels=1)
    assert read.dtype == dtype
    np.testing.assert_array_equal(read[..., 0], image)


def test_float_rgb_tiff_keeps_its_numbers(tmp_path):
    image = np.random.default_rng(0).normal(size=(3, 4, 3)).astype(np.float32)
    tifffile.imwrite(tmp_path / "a.tif", image, photometric="rgb")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), image)


def test_signed_tiff_becomes_float32(tmp_path):
    image = np.array([[-1000, 0], [40, 3000]], np.int16)
    tifffile.imwrite(tmp_path / "a.tif", image)
    read = read_image(tmp_path / "a.tif", channels=1)
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read[..., 0], image)


def test_find_images_lists_visible_image_files_in_order(tmp_path):
    for name in ("b.PNG", "a.jpg", "._a.jpg", "notes.txt", "c.tiff"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [file.name for file in find_images(tmp_path)] == ["a.jpg", "b.PNG", "c.tiff"]


def test_a_missing_folder_names_the_nearest(tmp_path):
    (tmp_path / "images").mkdir()
    with pytest.raises(ImageError, match=r"no such folder.*Did you mean 'images'"):
        find_images(tmp_path / "image")


@pytest.mark.parametrize("source", [np.zeros([2, 2, 3]), Image.new("L", (2, 2)), 3])
def test_what_is_no_file_is_refused_with_the_function_for_it(source):
    with pytest.raises(ImageError, match=r"a file object.*images.as_array"):
        read_image(source)
