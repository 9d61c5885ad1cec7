"""Bands of TIFF files as they are stored: any number, any width, any layout.

tifffile parses the file, and its strips or tiles are decoded here: OpenCV mixes bands
to grey, Pillow knows few layouts, and tifffile itself needs another package for LZW.
"""

import contextlib
import io
import math
import zlib

import numpy as np
import tifffile
from PIL import TiffImagePlugin

from kerasseg.images import page_axes, tiff

NONE, LZW, DEFLATE, OLD_DEFLATE, PACKBITS = 1, 5, 8, 32946, 32773
JPEG = (6, 7)
COMPRESSIONS = (NONE, LZW, DEFLATE, OLD_DEFLATE, PACKBITS)
WHOLE = (LZW, PACKBITS)  # unpacked strip by strip, not row by row
BLOCK_BYTES = 2**22
WHITE_IS_ZERO, BLACK_IS_ZERO, COLOR = 0, 1, 2
ALPHA = (1, 2)  # values of ExtraSamples that mean opacity; 0 is another band
NODATA = 42113  # tag of GDAL
DIFFERENCES, FLOAT_DIFFERENCES = 2, 3  # predictors


def open_pages(data, path):
    """Pages of a TIFF file on the disk without overviews and masks.

    Args:
        data: its bytes, or what gives them when it is sliced.
        path: of the file.

    Returns:
        List of tifffile.TiffPage.
    """
    tiff.check_tags(data)
    with open(path, "rb") as stream:
        return _parse(stream)


@contextlib.contextmanager
def opened(data):
    """Context of the pages of a file in memory, and of the axes between them.

    Its end frees the memory: tifffile's objects refer to each other, and would keep it
    for a while.

    Yields:
        (list of tifffile.TiffPage, axes such as "YX", "CYX", "TYX" by the file's own
        description; "" where it has none for its pages, "?" where that is not true of
        their order).
    """
    tiff.check_tags(data)
    with io.BytesIO(data) as stream:
        pages = _parse(stream)
        yield pages, _axes(pages)


def _parse(stream):
    pages = [page.aspage() for page in tifffile.TiffFile(stream).pages]
    return [page for page in pages if not tiff.is_extra(page.subfiletype)]


def _axes(pages):
    if len(pages) < 2:
        return ""
    sizes = page_axes.sizes_of(pages[0].description, pages[0].samplesperpixel)
    if sizes is None or (sizes and math.prod(sizes.values()) != len(pages)):
        return "?"
    if not sizes:
        return ""
    return "".join(axis for axis, size in sizes.items() if size > 1) + "YX"


def is_known(page):
    """Whether `read_page` reads a page: grey, RGB or bands of whole bytes."""
    return (
        page.dtype is not None
        and page.bitspersample in (8, 16, 32, 64)
        and page.bitspersample == 8 * page.dtype.itemsize
        and page.dtype.kind in "uif"
        and page.compression in COMPRESSIONS
        and page.photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO, COLOR)
        and page.predictor in (1, DIFFERENCES, FLOAT_DIFFERENCES)
        and page.fillorder == 1
        and page.imagedepth == 1
    )


def check_parts(data, page):
    """Refuse a page whose strips or tiles are missing, or are the same again and again.

    Raises:
        ValueError: says how many there are.
    """
    planes, down, across = _parts(page)[:3]
    num = planes * down * across
    found = min(len(page.dataoffsets), len(page.databytecounts))
    if found < num:
        raise ValueError(f"{found} of {num} strips or tiles")
    if (claimed := sum(page.databytecounts[:num])) > 4 * len(data):
        raise ValueError(f"strips or tiles of {claimed} of {len(data)} bytes")


def _parts(page):
    """Planes, strips or tiles down and across, rows and columns and bands of each."""
    planes = page.samplesperpixel if page.planarconfig == 2 else 1
    rows, columns = min(page.rowsperstrip, page.imagelength), page.imagewidth
    if page.is_tiled:
        rows, columns = page.tilelength, page.tilewidth
    if rows < 1 or columns < 1:
        raise ValueError(f"tiles of {columns} x {rows}")
    down, across = -(-page.imagelength // rows), -(-page.imagewidth // columns)
    return planes, down, across, rows, columns, page.samplesperpixel // planes


def scratch_bytes(page):
    """Memory that decoding needs besides the file and the picture, at most."""
    _, _, _, rows, columns, depth = _parts(page)
    row = columns * depth * (page.dtype.itemsize if page.dtype is not None else 1)
    # libtiff and Pillow hold a part several times, all others are taken by rows.
    is_whole = page.compression in WHOLE or page.compression not in COMPRESSIONS
    return 5 * rows * row if is_whole else 6 * max(row, BLOCK_BYTES)


def read_page(data, page, pixels):
    """Read the bands of a page of `is_known`.

    Args:
        data: bytes of the file, or what gives them when it is sliced.
        page: tifffile.TiffPage.
        pixels: array [H, W, C] of all bands of the page, in its dtype; written to.

    Raises:
        ValueError: if a strip or tile is missing, or too short. Those that a sparse
            file leaves out are its NODATA value, if it names one.
    """
    check_parts(data, page)
    planes, down, across, rows, columns, depth = _parts(page)
    for index in range(planes * down * across):
        plane, place = divmod(index, down * across)
        top, left = (place // across) * rows, (place % across) * columns
        tall = rows if page.is_tiled else min(rows, page.imagelength - top)
        bands = slice(plane, plane + depth) if planes > 1 else slice(None)
        target = pixels[top : top + tall, left : left + columns, bands]
        read = _opened(data, page, index, tall * columns * depth * page.dtype.itemsize)
        step = max(1, BLOCK_BYTES // (columns * depth * page.dtype.itemsize))
        for first in range(0, len(target), step):
            num = min(step, len(target) - first)
            part = _rows(read, page, index, (num, columns, depth))
            target[first : first + num] = part[:, : target.shape[1]]


def num_bands(page):
    """Bands of a page but those at the end that are tagged as alpha."""
    num, extra = page.samplesperpixel, list(page.extrasamples)
    while extra and extra.pop() in ALPHA and num > 1:
        num -= 1
    return num


def _opened(data, page, index, size):
    """Function of a number of bytes -> the next ones of a strip or tile."""
    offset, num = page.dataoffsets[index], page.databytecounts[index]
    data = memoryview(data) if isinstance(data, bytes) else data  # no copy
    raw = memoryview(data[offset : offset + num])
    if offset == num == 0:  # a file of GDAL is sparse, or its writing was broken off
        value = np.full(1, _nodata(page, index), page.dtype)
        value = value.astype(page.dtype.newbyteorder(page.parent.byteorder))
        return lambda count: value.tobytes() * (count // value.itemsize)
    if num < 1 or len(raw) < num:
        raise ValueError(f"strip or tile {index} is missing, or ends too early")
    if page.compression in (DEFLATE, OLD_DEFLATE):
        return _inflating(raw)
    if page.compression == PACKBITS:
        raw = _unpack_bits(bytes(raw), size)
    elif page.compression == LZW:
        raw = _unpack_lzw(bytes(raw), size)
    return io.BytesIO(raw).read if page.compression in WHOLE else _slicing(raw)


def _nodata(page, index):
    """The number of pixels that a file leaves out, if it says so."""
    if NODATA not in page.tags:
        raise ValueError(
            f"strip or tile {index} is left out: write sparse files whole, "
            "gdal_translate -co SPARSE_OK=FALSE, or with a NODATA value"
        )
    return page.nodata


def _slicing(raw):
    place = 0

    def read(num):
        nonlocal place
        place += num
        return raw[place - num : place]

    return read


def _inflating(raw):
    """Inflate piece by piece: at once, what is left over would be copied each time."""
    stream, rest, place = zlib.decompressobj(), b"", 0

    def read(num):
        nonlocal rest, place
        found = bytearray()
        while len(found) < num and not stream.eof:
            if not rest:
                rest, place = raw[place : place + 2**16], place + 2**16
                if not rest:
                    break
            found += stream.decompress(rest, num - len(found))
            rest = stream.unconsumed_tail
        return found

    return read


def _rows(read, page, index, shape):
    """Numbers of the next rows of a strip or tile: [rows, columns, C]."""
    size = math.prod(shape) * page.dtype.itemsize
    raw = read(size)
    if len(raw) < size:
        raise ValueError(f"strip or tile {index} ends too early")
    if page.predictor == FLOAT_DIFFERENCES:
        # Bytes of a row by their significance, as differences (Adobe's note 3).
        values = np.frombuffer(raw, "u1").reshape(shape[0], -1, shape[2])
        values = np.cumsum(values, axis=1, dtype="u1")
        values = values.reshape(shape[0], page.dtype.itemsize, -1)
        values = np.ascontiguousarray(np.moveaxis(values, 1, 2))
        return values.view(page.dtype.newbyteorder(">")).reshape(shape)
    stored = page.dtype.newbyteorder(page.parent.byteorder)
    values = np.frombuffer(raw, stored).reshape(shape)
    if page.predictor == DIFFERENCES:
        whole = values.astype(page.dtype).view(f"u{page.dtype.itemsize}")
        np.cumsum(whole, axis=1, dtype=whole.dtype, out=whole)  # sums wrap around
        values = whole.view(page.dtype)
    return values


def _unpack_bits(raw, size):
    found, place = bytearray(), 0
    while place < len(raw) - 1 and len(found) < size:
        code = raw[place]
        if code < 128:
            found += raw[place + 1 : place + 2 + code]
            place += 2 + code
        else:
            found += raw[place + 1 : place + 2] * (257 - code) * (code > 128)
            place += 2 - (code == 128)
    return found


def _unpack_lzw(raw, size):
    """Decode LZW by Pillow's libtiff, as a grey picture of one row of bytes."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[TiffImagePlugin.IMAGEWIDTH], tags[TiffImagePlugin.IMAGELENGTH] = size, 1
    tags[TiffImagePlugin.BITSPERSAMPLE] = 8
    tags[TiffImagePlugin.COMPRESSION] = LZW
    tags[TiffImagePlugin.PHOTOMETRIC_INTERPRETATION] = BLACK_IS_ZERO
    tags[TiffImagePlugin.SAMPLESPERPIXEL] = 1
    tags[TiffImagePlugin.ROWSPERSTRIP] = 1
    tags[TiffImagePlugin.STRIPOFFSETS] = 0  # counted from the end of the tags
    tags[TiffImagePlugin.STRIPBYTECOUNTS] = len(raw)
    file = io.BytesIO(b"II*\0" + (8).to_bytes(4, "little") + tags.tobytes(8) + raw)
    with TiffImagePlugin.TiffImageFile(file) as image:
        return np.asarray(image).tobytes()
