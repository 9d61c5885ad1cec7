"""Image files made in memory, some of them byte by byte."""

import io
import struct
import zlib

import numpy as np
import pytest
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


def assert_refused(tmp_path, data, match):
    file = tmp_path / "bad.png"
    file.write_bytes(data)
    for read in (read_image, read_mask):
        with pytest.raises(ImageError, match=match) as caught:
            read(file)
        assert caught.value.path == file
        assert "Fix: " in str(caught.value)
