"""Chains of pages."""

import struct

import pytest

from kerasseg.images import ImageError, read_image


def test_a_chain_of_pages_in_a_circle_is_refused(tmp_path):
    page = struct.pack("<H", 1) + struct.pack("<HHII", 256, 4, 1, 9)
    data = b"II*\0" + struct.pack("<I", 8) + page + struct.pack("<I", 8)
    (tmp_path / "circle.tif").write_bytes(data)
    with pytest.raises(ImageError, match="leads in a circle"):
        read_image(tmp_path / "circle.tif")
