"""Pages of a TIFF file one by one, each read from the disk when it is asked for."""

import functools
import os

import numpy as np

from kerasseg.images import tiff_bands, tiff_file
from kerasseg.images.content import ImageError, check_regular
from kerasseg.images.decode import MAX_PIXELS
from kerasseg.images.picture_file import PictureFile
from kerasseg.images.read import finite_float32


class OnDisk:
    """Bytes of a file that are read where they are sliced; none are kept.

    Not a memory map: a file that is cut off while it is mapped ends the process.
    """

    def __init__(self, path):
        self.path, self.size = path, os.path.getsize(path)

    def __len__(self):
        return self.size

    def __getitem__(self, place):
        start, stop, _ = place.indices(self.size)
        with open(self.path, "rb", buffering=0) as file:
            return os.pread(file.fileno(), max(0, stop - start), start)


def num_pages(path):
    """Number of pages of a TIFF file, without overviews and masks.

    Raises:
        ImageError: if it is no TIFF file.
    """
    return len(_open(path, path.stat().st_mtime_ns)[1])


def read_page(path, place, *, as_ids=False):
    """Pixels [H, W] or [H, W, C] of one page, upright, whatever the file's size.

    Args:
        path: pathlib.Path.
        place: number of the page, from 0.
        as_ids: whether its numbers are ids, of which a pixel has one.

    Returns:
        Array in the dtype of the file, float32 unless uint8 or uint16 of an image.

    Raises:
        ImageError: if the page is broken, holds NaN, has several bands of ids, or is
            packed in another way than by LZW, Deflate or PackBits.
    """
    data, pages = _open(path, path.stat().st_mtime_ns)
    page = pages[place]
    file = PictureFile(path, data, as_ids, None, MAX_PIXELS)
    if not tiff_bands.is_known(page) or (as_ids and page.samplesperpixel != 1):
        bands = "one band" if as_ids else "bands"
        raise ImageError(
            path,
            f"pages of {bands} of 8 bits or more, plain or by LZW, Deflate, PackBits",
            f"page {place}: {page.samplesperpixel} bands of {page.bitspersample} bits",
            "Save it so",
        )
    try:
        pixels = tiff_file.decode_page(file, page)
    except ImageError:
        raise
    except Exception as error:  # the parser raises nearly anything on broken files
        raise ImageError(
            path, "a complete file", f"page {place}: {error}"[:100], "Export it again"
        ) from error
    pixels = np.ascontiguousarray(pixels)
    if as_ids or pixels.dtype in (np.uint8, np.uint16):
        return pixels
    return finite_float32(path, pixels)


@functools.lru_cache(4)  # the tags of thousands of pages take a while
def _open(path, changed):
    check_regular(path)
    try:
        return (data := OnDisk(path)), tiff_bands.open_pages(data, path)
    except Exception as error:
        raise ImageError(
            path, "a TIFF file", str(error)[:100], "Export again"
        ) from error
