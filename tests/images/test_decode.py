"""Broken and unusual files: each is read right or refused with an ImageError."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from kerasseg.images import ImageError, read_image, read_mask
from tests.images.encoding import GRADIENT, assert_refused, encoded, png, png_chunk


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "TIFF", "BMP", "GIF", "WebP"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_files_are_refused(tmp_path, format_name, share):
    data = encoded(format_name)
    assert_refused(tmp_path, data[: int(share * len(data))], "required")


def test_a_jpeg_without_its_last_bytes_is_refused(tmp_path):
    assert_refused(tmp_path, encoded("JPEG")[:-2], "cut off")


def test_a_jpeg_half_of_zeros_is_refused(tmp_path):
    data = encoded("JPEG", np.kron(GRADIENT, np.ones((9, 9), np.uint8)))
    half = len(data) // 2
    assert_refused(tmp_path, data[:half] + bytes(len(data) - half), "cut off")


def test_a_jpeg_with_trailing_bytes_is_read(tmp_path):
    (tmp_path / "a.jpg").write_bytes(encoded("JPEG") + b"camera notes")
    assert read_image(tmp_path / "a.jpg").shape == (40, 50, 3)


def test_a_picture_without_pixels_is_refused(tmp_path):
    assert_refused(tmp_path, png(0, 0, 8, 0, []), "0 x 0")


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path):
    assert_refused(tmp_path, png(100_000, 100_000, 8, 0, [b"x"]), "10000000000 pixels")


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "TIFF", "BMP", "GIF", "WebP"])
def test_the_pixel_limit_holds_for_each_format(tmp_path, format_name):
    file = tmp_path / "a.png"
    file.write_bytes(encoded(format_name))
    assert read_image(file, max_pixels=40 * 50).shape == (40, 50, 3)
    with pytest.raises(ImageError, match=r"at most 1999 pixels.*50 x 40"):
        read_image(file, max_pixels=40 * 50 - 1)


@pytest.mark.parametrize("format_name", ["PNG", "GIF", "WebP", "TIFF"])
def test_several_frames_are_refused(tmp_path, format_name):
    other = Image.fromarray(GRADIENT[::-1])
    data = encoded(format_name, save_all=True, append_images=[other])
    assert_refused(tmp_path, data, "2 frames or pages")


def test_smaller_copies_in_a_tiff_are_no_pages(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(GRADIENT)
        tiff.write(GRADIENT[::2, ::2], subfiletype=1)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.tif"), GRADIENT)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(tmp_path, bad):
    image = np.ones((3, 4), np.float32)
    image[1, 2] = bad
    tifffile.imwrite(tmp_path / "a.tif", image)
    with pytest.raises(ImageError, match="1 of 12 that are NaN or infinite"):
        read_image(tmp_path / "a.tif")
    with pytest.raises(ImageError, match="whole numbers"):
        read_mask(tmp_path / "a.tif")


@pytest.mark.parametrize("bits, top", [(2, 3), (4, 15)])
def test_grey_of_few_bits_is_ids_as_mask_and_stretched_as_image(tmp_path, bits, top):
    # Two pixels, 1 and the largest, packed from the left into one byte.
    row = bytes([(1 << (8 - bits)) | (top << (8 - 2 * bits))])
    (tmp_path / "a.png").write_bytes(png(2, 1, bits, 0, [row]))
    assert read_mask(tmp_path / "a.png").tolist() == [[1, top]]
    image = read_image(tmp_path / "a.png", channels=1)
    assert image.ravel().tolist() == [255 // top, 255]


def test_16_bit_grey_with_alpha_is_grey(tmp_path):
    row = struct.pack(">4H", 3, 100, 700, 65535)  # grey, alpha, grey, alpha
    (tmp_path / "a.png").write_bytes(png(2, 1, 16, 4, [row]))
    assert read_mask(tmp_path / "a.png").tolist() == [[3, 700]]
    assert read_image(tmp_path / "a.png", channels=None).shape == (1, 2, 1)


def test_a_transparent_colour_stays_that_colour(tmp_path):
    transparent = png_chunk(b"tRNS", struct.pack(">3H", 7, 8, 9))
    data = png(2, 1, 8, 2, [bytes([7, 8, 9, 1, 2, 3])], transparent)
    (tmp_path / "a.png").write_bytes(data)
    assert read_image(tmp_path / "a.png").tolist() == [[[7, 8, 9], [1, 2, 3]]]


def test_a_bad_colour_profile_changes_nothing(tmp_path, capfd):
    profile = png_chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(b"x" * 200))
    (tmp_path / "a.png").write_bytes(png(1, 1, 8, 2, [bytes([7, 8, 9])], profile))
    assert read_image(tmp_path / "a.png").tolist() == [[[7, 8, 9]]]
    assert capfd.readouterr().err == ""


def test_the_photograph_of_a_two_picture_jpeg_is_read(tmp_path):
    preview = Image.fromarray(GRADIENT[::4, ::4].copy())
    photo = np.repeat(GRADIENT[..., None], 3, 2)
    stream = io.BytesIO()
    Image.fromarray(photo).save(stream, "MPO", save_all=True, append_images=[preview])
    (tmp_path / "a.jpg").write_bytes(stream.getvalue())
    assert read_image(tmp_path / "a.jpg").shape == (40, 50, 3)


def test_scaled_pnm_is_an_image_but_no_mask(tmp_path):
    (tmp_path / "a.pgm").write_bytes(b"P5 2 1 20\n\x01\x14")
    assert read_image(tmp_path / "a.pgm", channels=1).ravel().tolist() == [13, 255]
    with pytest.raises(ImageError, match="scaled in reading"):
        read_mask(tmp_path / "a.pgm")


def test_a_tiff_mask_in_which_zero_is_white_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GRADIENT, photometric="miniswhite")
    with pytest.raises(ImageError, match="zero is white"):
        read_mask(tmp_path / "a.tif")
    image = read_image(tmp_path / "a.tif", channels=1)
    np.testing.assert_array_equal(image[..., 0], 255 - GRADIENT)


def test_a_tiff_with_too_few_strips_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GRADIENT, rowsperstrip=40)
    data = (tmp_path / "a.tif").read_bytes()
    # The height, tag 257 of type 3 (short) or 4 (long), becomes 4000.
    for height in (
        struct.pack("<HHIH", 257, 3, 1, 40),
        struct.pack("<HHII", 257, 4, 1, 40),
    ):
        data = data.replace(height, height.replace(b"\x28\x00", b"\xa0\x0f"))
    assert_refused(tmp_path, data, "1 of 100 strips")


def test_a_tiff_of_many_channels_is_refused(tmp_path):
    image = np.zeros((4, 5, 7), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", image, photometric="rgb", planarconfig=1)
    with pytest.raises(ImageError, match="7 channels"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("options", [{"compression": "zlib"}, {"tile": (16, 16)}, {}])
@pytest.mark.parametrize(
    "byteorder, bigtiff", [("<", False), (">", False), ("<", True)]
)
def test_layouts_of_16_bit_tiffs_give_the_same(tmp_path, options, byteorder, bigtiff):
    image = GRADIENT.astype(np.uint16) * 100
    order = {"byteorder": byteorder, "bigtiff": bigtiff}
    tifffile.imwrite(tmp_path / "a.tif", image, **options, **order)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.tif"), image)


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "TIFF", "BMP", "GIF", "WebP"])
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_damaged_bytes_never_raise_anything_else(tmp_path, format_name, data):
    whole = bytearray(encoded(format_name, GRADIENT[:12, :16].copy()))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(
            st.integers(0, 255)
        )
    file = tmp_path / "a.bin"
    file.write_bytes(whole[: data.draw(st.integers(1, len(whole)))])
    for read in (read_image, read_mask):
        try:
            result = read(file)
        except ImageError:
            continue
        assert result.size > 0
