"""Decoding of TIFF files: bands as stored, and colours by Pillow."""

import numpy as np
from PIL import Image, TiffImagePlugin

from kerasseg.images import jpeg, tiff_bands
from kerasseg.images.content import ImageError
from kerasseg.images.decoders import opencv_pixels, pillow_pixels, upright
from kerasseg.images.exif import ORIENTATION


def decode_tiff(file):
    """Pixels of a `PictureFile`: [H, W] or [H, W, C], upright."""
    with tiff_bands.opened(file.data) as (pages, axes):
        for page in pages:  # sizes before anything is decoded
            file.check_size(page.imagewidth, page.imagelength)
        _check_pages(file, pages, axes)
        return _decode(file, pages)


def decode_page(file, page):
    """Pixels [H, W] or [H, W, C] of one page of `tiff_bands.is_known`, upright."""
    file.check_size(page.imagewidth, page.imagelength)
    return _decode(file, [page])


def _decode(file, pages):
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
    file.check_bytes(num_bytes, f"{samples} bands of {page.bitspersample} bits")
    _check_parts(file, pages, num_bytes)
    if not all(map(tiff_bands.is_known, pages)):
        return _colors(file, page, samples)
    pixels = _black_is_zero(file, page, _read_bands(file, pages))
    pixels = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    return upright(pixels, page.tags.valueof(ORIENTATION, 1))


def _check_parts(file, pages, num_bytes):
    """Refuse strips and tiles that are unpacked as a whole, and are larger than that.

    A tile may be larger than its picture.
    """
    most = max(map(tiff_bands.scratch_bytes, pages))
    if len(file.data) + num_bytes + most > 2 * file.max_bytes + 2**26:
        raise ImageError(
            file.path,
            "smaller strips or tiles, which are unpacked as a whole",
            f"some that need {most} bytes",
            "Save it with tiles, or without compression",
        )


def _read_bands(file, pages):
    """The bands of all pages [H, W, C], but alpha, unless the caller counts it."""
    shapes = {(page.imagelength, page.imagewidth, page.dtype) for page in pages}
    if len(shapes) > 1:
        raise ValueError("pages of different sizes or numbers")
    (height, width, dtype), start = shapes.pop(), 0
    bands = [page.samplesperpixel for page in pages]
    keep_all = file.is_asked(sum(bands))
    pixels, kept = np.empty([height, width, sum(bands)], dtype), []
    for page, num in zip(pages, bands):
        tiff_bands.read_page(file.data, page, pixels[..., start : start + num])
        num_kept = num if keep_all else tiff_bands.num_bands(page)
        kept += range(start, start + num_kept)
        start += num
    if kept == list(range(len(kept))):
        return pixels[..., : len(kept)]
    return pixels[..., kept]


def _check_pages(file, pages, axes):
    """Refuse several pages, unless they are bands by the file or by the caller."""
    num = len(pages)
    fix = "Save each of them as a file of its own, or, if they are bands of one picture"
    if num == 1 or (axes and set(axes) <= set("CYX")):
        pass
    elif not axes:
        alike = len({(p.imagelength, p.imagewidth, p.samplesperpixel) for p in pages})
        bands = alike == 1 and pages[0].samplesperpixel == 1 and not file.as_ids
        if bands and file.is_asked(num):
            return
        fix += ", as an array [H, W, C] in a .npy file"
        if bands and num != 3:
            fix += f", or read all: channels={num} (--set 'data.channels={num}')"
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
    return np.subtract(np.iinfo(pixels.dtype).max, pixels, out=pixels)


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
    tiff_bands.check_parts(file.data, page)
    num_pixels = page.imagewidth * page.imagelength
    if page.compression in tiff_bands.JPEG:
        jpeg.check_scans(file, num_pixels, len(page.dataoffsets))
    pixels = None
    if num_pixels > (Image.MAX_IMAGE_PIXELS or file.max_pixels):
        pixels = opencv_pixels(file.data) if page.bitspersample == 8 else None
    if pixels is None:  # within Pillow's own limit
        pixels = pillow_pixels(file.data, TiffImagePlugin.TiffImageFile, file.as_ids)
    return pixels  # both decoders turn TIFF files upright


def _name(value):
    return getattr(value, "name", value)
