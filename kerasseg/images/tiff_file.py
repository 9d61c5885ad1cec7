"""Decoding of TIFF files: bands as stored, and colours by Pillow."""

import numpy as np
from PIL import Image, TiffImagePlugin

from kerasseg.images import tiff, tiff_bands
from kerasseg.images.content import ImageError
from kerasseg.images.decoders import (
    ORIENTATION,
    opencv_pixels,
    pillow_pixels,
    upright,
)

UNDECLARED = set("QI")  # axes of tifffile where the file says nothing


def decode_tiff(file):
    """Pixels of a `PictureFile`: [H, W] or [H, W, C], upright."""
    for tags in tiff.read_pages(file.data):  # sizes before anything is decoded
        size = tags[TiffImagePlugin.IMAGEWIDTH], tags[TiffImagePlugin.IMAGELENGTH]
        file.check_size(*size)
    pages, axes = tiff_bands.open_pages(file.data)
    _check_pages(file, pages, axes)
    page = pages[0]
    if file.as_ids and page.photometric == tiff_bands.WHITE_IS_ZERO:
        raise ImageError(
            file.path,
            "a TIFF file in which zero is black",
            "one in which zero is white: programs differ in reading its numbers",
            "Save it as PNG",
        )
    samples = page.samplesperpixel * len(pages)
    num_bytes = page.imagewidth * page.imagelength * samples * page.bitspersample // 8
    if num_bytes > 16 * file.max_pixels:
        raise ImageError(
            file.path,
            f"at most {16 * file.max_pixels} bytes (16 for each of `max_pixels`)",
            f"{samples} bands of {page.bitspersample} bits: {num_bytes} bytes",
            "Cut it into tiles, or raise the limit if you trust the file",
        )
    if not all(map(tiff_bands.is_known, pages)):
        return _colors(file, page, samples)
    keep = file.is_asked(samples)
    bands = [tiff_bands.read_page(file.data, x, keep_alpha=keep) for x in pages]
    pixels = _black_is_zero(file, page, np.concatenate(bands, axis=2))
    pixels = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    return upright(pixels, page.tags.valueof(ORIENTATION, 1))


def _check_pages(file, pages, axes):
    """Refuse several pages, unless they are bands by the file or by the caller."""
    num = len(pages)
    fix = "Save each of them as a file of its own, or, if they are bands of one picture"
    if num == 1 or (axes and set(axes) <= set("CSYX")):
        pass
    elif set(axes) & UNDECLARED or not axes:
        alike = len({(p.imagelength, p.imagewidth, p.samplesperpixel) for p in pages})
        bands = alike == 1 and pages[0].samplesperpixel == 1 and not file.as_ids
        if bands and file.is_asked(num):
            return
        if bands and num != 3:
            fix += f", read all: channels={num} (--set 'data.channels={num}')"
        else:
            fix += ", as an array [H, W, C] in a .npy file"
        raise ImageError(
            file.path, "a file with one picture", f"{num} frames or pages", fix
        )
    else:
        raise ImageError(
            file.path,
            "a file with one picture",
            f"{num} frames or pages, axes {axes}",
            f"{fix}, as an array [H, W, C] in a .npy file",
        )
    if pages[0].imagedepth != 1:
        raise ImageError(
            file.path,
            "a file with one picture",
            f"a volume of {pages[0].imagedepth} planes",
            "Save each of them as a file of its own",
        )


def _black_is_zero(file, page, pixels):
    if page.photometric != tiff_bands.WHITE_IS_ZERO:
        return pixels
    if pixels.dtype.kind != "u":
        raise ImageError(
            file.path,
            "a TIFF file in which zero is black",
            f"{pixels.dtype} numbers of which zero is white",
            "Save it with the photometric interpretation MinIsBlack",
        )
    return np.iinfo(pixels.dtype).max - pixels


def _colors(file, page, samples):
    """Palettes, single bits, CMYK and JPEG in TIFF files, by Pillow."""
    if samples > 4 or page.bitspersample > 8:
        raise ImageError(
            file.path,
            "bands of 8, 16, 32 or 64 bits without compression, or by LZW, Deflate or "
            "PackBits",
            f"{samples} bands of {page.bitspersample} bits, {_name(page.photometric)}, "
            f"compression {_name(page.compression)}",
            "Save it without compression, or as PNG or .npy",
        )
    tiff.check_strips(tiff.read_pages(file.data)[0])
    pixels = None
    if page.imagewidth * page.imagelength > (Image.MAX_IMAGE_PIXELS or file.max_pixels):
        pixels = opencv_pixels(file.data) if page.bitspersample == 8 else None
    if pixels is None:  # within Pillow's own limit
        pixels = pillow_pixels(file.data, TiffImagePlugin.TiffImageFile, file.as_ids)
    return pixels  # both decoders turn TIFF files upright


def _name(value):
    return getattr(value, "name", value)
