"""Pages of TIFF stacks, read one by one."""

import os

import numpy as np
import pytest
import tifffile

from kerasseg.images import ImageError, tiff_pages
from tests import memory

STACK = (np.indices((3, 5, 7)).sum(0) * 9).astype("uint16")


@pytest.mark.parametrize(
    "options",
    (
        {},
        {"compression": "zlib", "predictor": True, "rowsperstrip": 2},
        {"tile": (16, 16), "bigtiff": True, "byteorder": ">"},
        {"imagej": True},
    ),
)
def test_pages_are_read_from_the_disk_one_by_one(tmp_path, options):
    if "imagej" not in options:
        options = {**options, "photometric": "minisblack"}
    tifffile.imwrite(tmp_path / "a.tif", STACK, **options)
    assert tiff_pages.num_pages(tmp_path / "a.tif") == 3
    for place, page in enumerate(STACK):
        found = tiff_pages.read_page(tmp_path / "a.tif", place)
        np.testing.assert_array_equal(found, page)


def test_a_page_whose_zero_is_white_is_inverted_as_of_single_images(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, STACK, photometric="miniswhite")
    np.testing.assert_array_equal(tiff_pages.read_page(path, 1), 65535 - STACK[1])
    with pytest.raises(ImageError, match="zero is black"):
        tiff_pages.read_page(path, 1, as_ids=True)


def test_a_page_with_nan_is_refused(tmp_path):
    pages = STACK.astype("float64")
    pages[1, 2, 3] = np.nan
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="minisblack")
    assert tiff_pages.read_page(tmp_path / "a.tif", 0).dtype == np.float32
    with pytest.raises(ImageError, match="1 of 35 that are NaN"):
        tiff_pages.read_page(tmp_path / "a.tif", 1)


def test_a_stack_that_is_cut_off_gives_the_pages_that_are_there(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros([3, 64, 64], "u1"), photometric="minisblack")
    assert tiff_pages.num_pages(path) == 3
    size = path.stat().st_size
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    with open(path, "r+b") as file:
        file.truncate(size - 64 * 64 - 1)
    os.utime(path, ns=times)  # while it is being read
    tiff_pages.read_page(path, 0)
    with pytest.raises(ImageError, match=r"page 2: .*too early"):
        tiff_pages.read_page(path, 2)


def test_only_the_page_is_in_memory(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros([64, 1024, 1024], "u1"), photometric="minisblack")
    peak = memory.peak_bytes(
        f"tiff_pages.read_page(pathlib.Path({str(path)!r}), 40)",
        "import pathlib; from kerasseg.images import tiff_pages",
    )
    assert peak < 8 * 2**20


def test_pages_of_images_may_have_bands_those_of_ids_not(tmp_path, rng):
    pages = rng.integers(0, 255, [3, 8, 9, 3]).astype("uint8")
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="rgb")
    np.testing.assert_array_equal(tiff_pages.read_page(tmp_path / "a.tif", 2), pages[2])
    with pytest.raises(ImageError, match=r"one band .* page 1: 3 bands of 8 bits"):
        tiff_pages.read_page(tmp_path / "a.tif", 1, as_ids=True)
