"""Golden set of usual, unusual and malformed files for the whole reader.

They are read in a process with a memory limit, see child_hostile.py.
"""

import functools
import io
import json
import os
import pathlib
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]
IDS = (np.indices((24, 32)).sum(0) % 5).astype(np.uint8)
RGB = np.repeat(IDS[..., None] * 40, 3, axis=2)
REFUSED = ["refused", "refused"]


def encoded(pixels, kind, mode=None, **options):
    stream = io.BytesIO()
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(stream, kind, **options)
    return stream.getvalue()


def tiff(pixels, **options):
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, **options)
    return stream.getvalue()


def bomb(side):
    """PNG of side x side black pixels: some hundred kB."""

    def chunk(name, data):
        checksum = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + checksum

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    packer, rows = zlib.compressobj(9), []
    for _ in range(side):
        rows.append(packer.compress(bytes(1 + (side + 7) // 8)))
    data = b"".join(rows) + packer.flush()
    body = chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@functools.cache
def golden():
    """File name -> (bytes, what reading as image and as mask must give)."""
    whole = encoded(IDS, "PNG")
    as_both = ["uint8 [24, 32, 3]", "int32 [24, 32]"]
    no_mask = ["uint8 [24, 32, 3]", "refused"]
    palette = Image.fromarray(IDS)
    palette.putpalette([c for i in range(256) for c in (i, 255 - i, 7)])
    stream = io.BytesIO()
    palette.save(stream, "PNG")
    upright = Image.Exif()
    upright[0x0112] = 6  # turned by a quarter
    frames = [Image.fromarray(IDS), Image.fromarray(IDS.T.copy().reshape(24, 32))]
    animated = io.BytesIO()
    frames[0].save(animated, "GIF", save_all=True, append_images=frames[1:])
    wrong_crc = bytearray(whole)
    wrong_crc[-20] ^= 1
    infinite = IDS.astype("float32")
    infinite[0, :2] = np.nan, np.inf
    return {
        "grey.png": (whole, as_both),
        "palette.png": (stream.getvalue(), as_both),
        "one_bit.png": (encoded(IDS > 2, "PNG"), as_both),
        "16_bit.png": (
            encoded(IDS.astype("uint16"), "PNG"),
            ["uint16 [24, 32, 3]", "int32 [24, 32]"],
        ),
        "rgb.png": (encoded(RGB, "PNG"), as_both),  # equal channels are grey
        "alpha.png": (encoded(RGB, "PNG", "RGBA"), as_both),
        "cmyk.jpg": (encoded(RGB, "JPEG", "CMYK"), no_mask),
        "turned.jpg": (
            encoded(RGB, "JPEG", exif=upright),
            ["uint8 [32, 24, 3]", "refused"],
        ),
        "no_extension": (whole, as_both),
        "wrong.jpg": (whole, as_both),
        "ünï cödé 日本.png": (whole, as_both),
        "n" * 200 + ".png": (whole, as_both),
        "int.tif": (tiff(IDS.astype("int16")), ["float32 [24, 32, 3]", as_both[1]]),
        "float.tif": (tiff(IDS.astype("float32")), ["float32 [24, 32, 3]", as_both[1]]),
        "nan.tif": (tiff(infinite), REFUSED),
        "pages.tif": (tiff(np.stack([IDS] * 3), photometric="minisblack"), REFUSED),
        "animated.gif": (animated.getvalue(), REFUSED),
        "cut.png": (whole[: len(whole) // 2], REFUSED),
        "crc.png": (bytes(wrong_crc), REFUSED),
        "empty.png": (b"", REFUSED),
        "text.png": (b"not a picture\n" * 20, REFUSED),
        "nothing.png": (
            whole[:16] + bytes(8) + whole[24:29] + whole[29:],
            REFUSED,
        ),
        "pixel.png": (
            encoded(IDS[:1, :1].copy(), "PNG"),
            ["uint8 [1, 1, 3]", "int32 [1, 1]"],
        ),
        "bomb.png": (bomb(30_000), REFUSED),
    }


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile") / "files"
    folder.mkdir()
    for name, (data, _) in golden().items():
        (folder / name).write_bytes(data)
    (folder / "folder.png").mkdir()
    outside = folder.parent / "outside.png"
    outside.write_bytes(golden()["grey.png"][0])
    (folder / "link.png").symlink_to(outside)
    (folder / "dangling.png").symlink_to(folder.parent / "nowhere.png")
    child = pathlib.Path(__file__).with_name("child_hostile.py")
    done = subprocess.run(
        [sys.executable, child, folder, "2000"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", golden())
def test_each_file_is_read_right_or_refused(report, name):
    assert report["files"][name] == golden()[name][1]


def test_folders_and_dangling_links_are_refused_and_links_followed(report):
    files = report["files"]
    assert files["folder.png"] == files["dangling.png"] == REFUSED
    assert files["link.png"] == files["grey.png"]


def test_random_mutations_crash_nothing(report):
    assert sum(report["mutations"].values()) == 4000
    assert min(report["mutations"].values()) > 50  # some are still pictures


def test_memory_stays_small_whatever_the_files_claim(report):
    assert report["peak_mb"] < 600
