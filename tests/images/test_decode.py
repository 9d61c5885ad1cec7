"""Broken and unusual files: each is read right or refused with an ImageError."""

import io
import os
import pickle
import struct
import zlib

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from kerasseg.images import ImageError, read_image, read_mask

GRADIENT = (np.indices((40, 50)).sum(0) * 2).astype(np.uint8)


def encoded(format_name, pixels=GRADIENT, **options):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format_name, **options)
    return stream.getvalue()


def png_chunk(name, data):
    checksum = struct.pack(">I", zlib.crc32(name + data))
    return struct.pack(">I", len(data)) + name + data + checksum


def png(width, height, bits, color_type, rows, extra=b""):
    """PNG by hand: rows are the bytes of each line."""
    header = struct.pack(">IIBBBBB", width, height, bits, color_type, 0, 0, 0)
    lines = zlib.compress(b"".join(b"\0" + row for row in rows))
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + extra
        + png_chunk(b"IDAT", lines)
        + png_chunk(b"IEND", b"")
    )


def interlaced_png(pixels):
    """Palette PNG whose seven passes are taken from the PNG specification, 8.2."""
    grids = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2)]
    grids += [(0, 1, 2, 2), (1, 0, 2, 1)]
    passes = [pixels[y::down, x::right] for y, x, down, right in grids]
    lines = b"".join(b"\0" + row.tobytes() for p in passes if p.size for row in p)
    header = struct.pack(">IIBBBBB", *pixels.shape[::-1], 8, 3, 0, 0, 1)
    chunks = [(b"IHDR", header), (b"PLTE", bytes(768)), (b"IDAT", zlib.compress(lines))]
    chunks += [(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def refused(tmp_path, data, match):
    file = tmp_path / "bad.png"
    file.write_bytes(data)
    for read in (read_image, read_mask):
        with pytest.raises(ImageError, match=match) as caught:
            read(file)
        assert caught.value.path == file
        assert "Fix: " in str(caught.value)


def test_a_missing_file_names_the_nearest(tmp_path):
    (tmp_path / "street_01.png").touch()
    with pytest.raises(ImageError, match=r"no such file.*Did you mean 'street_01.png'"):
        read_image(tmp_path / "street_1.png")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(ImageError, match="a folder"):
        read_image(tmp_path)


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match="special file"):
        read_image(tmp_path / "pipe.png")


def test_an_impossible_name_is_an_image_error(tmp_path):
    with pytest.raises(ImageError, match="Check its name"):
        read_image(tmp_path / ("x" * 5000 + ".png"))


@pytest.mark.parametrize(
    "data, match",
    [
        (b"", "an empty file"),
        (b"<html>404</html>", "a text file that starts with '<html>404</html>'"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"\x00\x01\x02\x03", "unknown content"),
    ],
)
def test_files_that_are_no_images_are_refused(tmp_path, data, match):
    refused(tmp_path, data, match)


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "TIFF", "BMP", "GIF", "WebP"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_files_are_refused(tmp_path, format_name, share):
    data = encoded(format_name)
    refused(tmp_path, data[: int(share * len(data))], "required")


def test_a_jpeg_without_its_last_bytes_is_refused(tmp_path):
    refused(tmp_path, encoded("JPEG")[:-2], "cut off")


def test_a_jpeg_half_of_zeros_is_refused(tmp_path):
    data = encoded("JPEG", np.kron(GRADIENT, np.ones((9, 9), np.uint8)))
    half = len(data) // 2
    refused(tmp_path, data[:half] + bytes(len(data) - half), "cut off")


def test_a_jpeg_with_trailing_bytes_is_read(tmp_path):
    (tmp_path / "a.jpg").write_bytes(encoded("JPEG") + b"camera notes")
    assert read_image(tmp_path / "a.jpg").shape == (40, 50, 3)


def test_a_flipped_bit_in_a_png_is_refused(tmp_path):
    data = bytearray(encoded("PNG"))
    data[data.index(b"IDAT") + 20] ^= 1
    refused(tmp_path, bytes(data), "wrong checksum in its IDAT chunk")


@pytest.mark.parametrize("bits, color_type", [(8, 0), (8, 2), (8, 3), (1, 0), (16, 0)])
def test_png_data_that_end_early_are_refused(tmp_path, bits, color_type):
    bits_a_pixel = bits * (3 if color_type == 2 else 1)
    row = bytes(4 * bits_a_pixel // 8 or 1)
    palette = png_chunk(b"PLTE", bytes(6))
    data = png(4, 4, bits, color_type, [row] * 2, palette if color_type == 3 else b"")
    refused(tmp_path, data, "ends after .* bytes of pixels")


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (8, 8), (13, 9)])
def test_interlaced_palette_files_are_read(tmp_path, size):
    pixels = GRADIENT[: size[0], : size[1]].copy()
    file = tmp_path / "a.png"
    file.write_bytes(interlaced_png(pixels))
    np.testing.assert_array_equal(read_mask(file), pixels)


def test_a_picture_without_pixels_is_refused(tmp_path):
    refused(tmp_path, png(0, 0, 8, 0, []), "0 x 0")


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path):
    refused(tmp_path, png(100_000, 100_000, 8, 0, [b"x"]), "10000000000 pixels")


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
    refused(tmp_path, data, "2 frames or pages")


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
    refused(tmp_path, data, "1 of 100 strips")


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


def test_an_image_error_survives_a_process_boundary(tmp_path):
    error = ImageError(tmp_path / "a.png", "a file", "a folder", "Give a file")
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == str(error)
    assert copy.path == tmp_path / "a.png"


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
