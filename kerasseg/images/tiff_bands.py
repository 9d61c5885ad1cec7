"""Bands of TIFF files as they are stored: any number, any width, any layout.

tifffile parses the file, and its strips or tiles are decoded here: OpenCV mixes bands
to grey, Pillow knows few layouts, and tifffile itself needs another package for LZW.
"""

import io
import zlib

import numpy as np
import tifffile
from PIL import TiffImagePlugin

from kerasseg.images.tiff import is_extra

NONE, LZW, DEFLATE, OLD_DEFLATE, PACKBITS = 1, 5, 8, 32946, 32773
COMPRESSIONS = (NONE, LZW, DEFLATE, OLD_DEFLATE, PACKBITS)
WHITE_IS_ZERO, BLACK_IS_ZERO, COLOR = 0, 1, 2
ALPHA = (1, 2)  # values of ExtraSamples that mean opacity; 0 is another band
NODATA = 42113  # tag of GDAL
DIFFERENCES, FLOAT_DIFFERENCES = 2, 3  # predictors


def open_pages(data):
    """Pages of a TIFF file without overviews and masks, and the axes of its series.

    Returns:
        (list of tifffile.TiffPage, axes such as "YX", "YXS", "CYX", "TYX" by the
        file's own description; "" where it has none for its pages).
    """
    file = tifffile.TiffFile(io.BytesIO(data))
    pages = [page.aspage() for page in file.pages]
    pages = [page for page in pages if not is_extra(page.subfiletype)]
    axes = ""
    if len(pages) > 1 and (file.is_imagej or file.is_ome or file.is_shaped):
        series = file.series[0]
        axes = "".join(a for a, n in zip(series.axes, series.shape) if n > 1)
        axes = axes if len(series.pages) == len(pages) else ""
    return pages, axes


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


def read_page(data, page, *, keep_alpha=False):
    """Bands of a page of `is_known`: [H, W, C], C without those tagged as alpha.

    Args:
        data: bytes of the file.
        page: tifffile.TiffPage.
        keep_alpha: keep bands that are tagged as alpha.

    Raises:
        ValueError: if a strip or tile is missing, or too short. Those that a sparse
            file leaves out are its NODATA value, if it names one.
    """
    height, width, samples = page.imagelength, page.imagewidth, page.samplesperpixel
    planes, depth = (samples, 1) if page.planarconfig == 2 else (1, samples)
    if page.is_tiled:
        rows, columns = page.tilelength, page.tilewidth
    else:
        rows, columns = min(page.rowsperstrip, height), width
    if rows < 1 or columns < 1:
        raise ValueError(f"tiles of {columns} x {rows}")
    down, across = -(-height // rows), -(-width // columns)
    num, found = (
        planes * down * across,
        min(len(page.dataoffsets), len(page.databytecounts)),
    )
    if found < num:
        raise ValueError(f"{found} of {num} strips or tiles")
    pixels = np.empty([planes, height, width, depth], page.dtype)
    for index in range(num):
        plane, place = divmod(index, down * across)
        top, left = (place // across) * rows, (place % across) * columns
        tall = rows if page.is_tiled else min(rows, height - top)
        part = _segment(data, page, index, (tall, columns, depth))
        part = part[: height - top, : width - left]
        pixels[plane, top : top + tall, left : left + columns] = part
    pixels = np.moveaxis(pixels[..., 0], 0, 2) if planes > 1 else pixels[0]
    extra = list(page.extrasamples)
    while not keep_alpha and extra and extra[-1] in ALPHA and pixels.shape[2] > 1:
        pixels, extra = pixels[..., :-1], extra[:-1]
    return pixels


def _segment(data, page, index, shape):
    """Numbers of one strip or tile: [rows, columns, C] in native byte order."""
    offset, num = page.dataoffsets[index], page.databytecounts[index]
    if offset == num == 0:  # a file of GDAL is sparse, or its writing was broken off
        return np.full(shape, _nodata(page, index), page.dtype)
    raw = data[offset : offset + num]
    if num < 1 or len(raw) < num:
        raise ValueError(f"strip or tile {index} is missing, or ends too early")
    size = int(np.prod(shape)) * page.dtype.itemsize
    raw = _decompress(raw, page.compression, size)
    if len(raw) < size:
        raise ValueError(f"strip or tile {index} has {len(raw)} of {size} bytes")
    order, rows = page.parent.byteorder, shape[0]
    if page.predictor == FLOAT_DIFFERENCES:
        # Bytes of a row by their significance, as differences (Adobe's note 3).
        values = np.frombuffer(raw, "u1", size).reshape(rows, -1, shape[2])
        values = np.cumsum(values, axis=1, dtype="u1")
        values = values.reshape(rows, page.dtype.itemsize, -1)
        values = np.ascontiguousarray(np.moveaxis(values, 1, 2))
        stored = page.dtype.newbyteorder(">")
        return values.view(stored).reshape(shape).astype(page.dtype)
    stored = page.dtype.newbyteorder(order)
    values = np.frombuffer(raw[:size], stored).reshape(shape).astype(page.dtype)
    if page.predictor == DIFFERENCES:
        whole = values.view(f"u{page.dtype.itemsize}")  # sums wrap around
        values = np.cumsum(whole, axis=1, dtype=whole.dtype).view(page.dtype)
    return values


def _nodata(page, index):
    """The number of pixels that a file leaves out, if it says so."""
    if NODATA not in page.tags:
        raise ValueError(
            f"strip or tile {index} is left out: write sparse files whole, "
            "gdal_translate -co SPARSE_OK=FALSE, or with a NODATA value"
        )
    return page.nodata


def _decompress(raw, compression, size):
    """Bytes of a strip or tile; never more than `size` and a little are made."""
    if compression in (DEFLATE, OLD_DEFLATE):
        return zlib.decompressobj().decompress(raw, size)
    if compression == PACKBITS:
        return _unpack_bits(raw, size)
    return _unpack_lzw(raw, size) if compression == LZW else raw


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
    return bytes(found)


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
