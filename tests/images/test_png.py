"""Chunks of PNG files: checksums, passes, and pixels that are missing."""

import struct
import zlib

import numpy as np
import pytest

from kerasseg.images import read_mask
from tests.images.encoding import GRADIENT, assert_refused, encoded, png, png_chunk


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


def test_a_flipped_bit_in_a_png_is_refused(tmp_path):
    data = bytearray(encoded("PNG"))
    data[data.index(b"IDAT") + 20] ^= 1
    assert_refused(tmp_path, bytes(data), "wrong checksum in its IDAT chunk")


@pytest.mark.parametrize("bits, color_type", [(8, 0), (8, 2), (8, 3), (1, 0), (16, 0)])
def test_png_data_that_end_early_are_refused(tmp_path, bits, color_type):
    bits_a_pixel = bits * (3 if color_type == 2 else 1)
    row = bytes(4 * bits_a_pixel // 8 or 1)
    palette = png_chunk(b"PLTE", bytes(6))
    data = png(4, 4, bits, color_type, [row] * 2, palette if color_type == 3 else b"")
    assert_refused(tmp_path, data, "ends after .* bytes of pixels")


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (8, 8), (13, 9)])
def test_interlaced_palette_files_are_read(tmp_path, size):
    pixels = GRADIENT[: size[0], : size[1]].copy()
    file = tmp_path / "a.png"
    file.write_bytes(interlaced_png(pixels))
    np.testing.assert_array_equal(read_mask(file), pixels)
