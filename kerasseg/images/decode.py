"""Decoding of image files to upright pixels.

No decoder is right for every file; the header selects one. OpenCV is fastest on plain
8-bit JPEG and PNG and keeps 16-bit colour, which Pillow truncates to 8 bits; Pillow
keeps palette indices, which OpenCV turns into colours. Plugin classes are called, not
`Image.open`: its pixel limit is process-wide, not a library's to change.
"""

import io
import math
import struct

import numpy as np
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    WebPImagePlugin,
)

from kerasseg.images import bmp, jpeg, png, pnm, tiff
from kerasseg.images.content import RETRY_FIX, ImageError, detect_format, read_bytes
from kerasseg.images.decoders import (
    GREY,
    RGB,
    opencv_pixels,
    pillow_array,
    pillow_pixels,
    upright,
)
from kerasseg.images.exif import orientation_of
from kerasseg.images.picture_file import PictureFile
from kerasseg.images.tiff_file import decode_tiff

MAX_PIXELS = 178_956_970  # 2 * PIL.Image.MAX_IMAGE_PIXELS, where Pillow raises, too


def decode(path, *, as_ids=False, channels=None, max_pixels=MAX_PIXELS):
    """Decode an image file: upright, without alpha.

    Args:
        path: the file, its bytes, or a file object. Its format is detected from the
            content, not from the name.
        as_ids: return the numbers as stored (palette indices, 0 and 1 for one bit,
            0..15 for four) instead of colours and grey levels.
        channels: bands that the caller wants, if it is known: of TIFF files so many
            pages, or bands of which the last is tagged as alpha, are then bands.
        max_pixels: larger images are refused before they are decoded.

    Returns:
        (pixels, lossy): array [H, W], [H, W, 3] RGB or, of TIFF and NumPy files, [H, W,
        C], all bands but those tagged as alpha, in the dtype of the file; and whether
        the format is lossy (JPEG, also in a TIFF file, lossy WebP).

    Raises:
        ImageError: if the file does not hold exactly one complete image.
    """
    path, data = read_bytes(path, max_pixels)
    kind = detect_format(path, data)
    lossy = kind == "JPEG" or (kind == "WebP" and b"VP8 " in data)
    file = PictureFile(path, data, as_ids, channels, max_pixels)
    try:
        lossy = lossy or (kind == "TIFF" and tiff.is_lossy(data))
        pixels = _DECODERS[kind](file)
    except ImageError:
        raise
    except Exception as error:  # on broken files decoders raise nearly anything
        reason = " ".join(str(error).split())[:200]
        raise ImageError(
            path,
            f"a complete {kind} file",
            f"one that does not decode ({type(error).__name__}: {reason})",
            f"{RETRY_FIX}, or save it as PNG",
        ) from error
    del data, file  # before a copy is made
    return np.ascontiguousarray(pixels), lossy


def _decode_png(file):
    chunks = png.read_chunks(file.path, file.data)
    width, height, bits, color_type = struct.unpack(">IIBB", chunks[b"IHDR"][0][:10])
    file.check_size(width, height)
    if b"acTL" in chunks:  # an animated PNG
        file.check_single(struct.unpack(">I", chunks[b"acTL"][0][:4])[0])
    grey = color_type in (0, 4)
    data, pixels = png.only_pixels(file.data, chunks), None
    if bits == 16 or (bits == 8 and color_type in (0, 2, 6)):
        pixels = opencv_pixels(data, {0: GREY, 2: RGB, 6: RGB}.get(color_type))
    if pixels is None:
        png.check_length(file.path, chunks)
        if bits == 16:  # Pillow would truncate it to 8
            raise ValueError("OpenCV cannot read it")
        pixels = pillow_pixels(data, PngImagePlugin.PngImageFile, file.as_ids)
    if grey and pixels.ndim == 3:
        pixels = pixels[..., 0]
    if grey and file.as_ids and bits in (2, 4):
        pixels = pixels // (85 if bits == 2 else 17)  # Pillow stretched them to 0..255
    return upright(pixels, orientation_of(chunks.get(b"eXIf", [b""])[0]))


def _decode_jpeg(file):
    # A phone's file with a second, embedded picture (MPO) is read as the photograph
    # that every viewer shows.
    header = jpeg.read_header(file.data)
    file.check_size(header.width, header.height)
    jpeg.check_scans(file, header.width * header.height)
    # Decoders fill missing data with grey. A scan (SOS, FFDA) must be followed by the
    # end of the image (EOI, FFD9); entropy-coded data never contain these markers.
    if file.data.rfind(b"\xff\xd9") < file.data.rfind(b"\xff\xda"):
        raise ImageError(
            file.path,
            "a complete JPEG file",
            f"one cut off at {len(file.data)} bytes",
            RETRY_FIX,
        )
    known = {1: GREY, 3: RGB}.get(header.num_channels)
    pixels = None if known is None else opencv_pixels(file.data, known)
    if pixels is None:
        pixels = pillow_pixels(file.data, JpegImagePlugin.JpegImageFile, file.as_ids)
    return upright(pixels, orientation_of(header.exif, header.xmp))


def _decode_numpy(file):
    """An array in a .npy file: [H, W] or [H, W, C]; never a pickle."""
    stream = io.BytesIO(file.data)
    version = np.lib.format.read_magic(stream)
    read = getattr(np.lib.format, f"read_array_header_{version[0]}_0")
    shape, _, dtype = read(stream)
    if len(shape) not in (2, 3) or dtype.kind not in "uifb" or dtype.itemsize > 8:
        raise ImageError(
            file.path,
            "an array of numbers [H, W] or [H, W, C]",
            f"{dtype} of shape {shape}",
            "Save one picture per file: numpy.save(path, image)",
        )
    if len(shape) == 3 and shape[0] <= 32 < shape[2]:
        raise ImageError(
            file.path,
            "an array [H, W, C]",
            f"shape {shape}, which looks like [C, H, W]",
            "Save it as numpy.moveaxis(image, 0, 2)",
        )
    file.check_size(shape[1], shape[0])
    file.check_bytes(math.prod(shape) * dtype.itemsize, f"{shape}, {dtype}")
    pixels = np.load(io.BytesIO(file.data), allow_pickle=False)
    if pixels.dtype == bool:
        return pixels.astype(np.uint8) * (1 if file.as_ids else 255)
    if not pixels.dtype.isnative:
        pixels = pixels.byteswap(inplace=True).view(pixels.dtype.newbyteorder("="))
    return pixels


def _decode_pnm(file):
    data = pnm.without_comments(file.data)
    with PpmImagePlugin.PpmImageFile(io.BytesIO(data)) as image:
        file.check_size(*image.size)
        if file.as_ids and image.tile[0][0] != "raw":
            raise ImageError(
                file.path,
                "a mask in a format that stores ids",
                "text or stretched PNM, whose numbers are scaled in reading",
                "Save it as PNG",
            )
    pixels = pillow_pixels(data, PpmImagePlugin.PpmImageFile, file.as_ids)
    return pixels.astype(np.uint16) if pixels.dtype == np.int32 else pixels


def _decode_bmp(file):
    with BmpImagePlugin.BmpImageFile(io.BytesIO(file.data)) as image:
        file.check_size(*image.size)
        codec, _, offset, arguments = image.tile[0]
        if codec != "bmp_rle":
            return pillow_array(image, file.as_ids)
        _, is_rle4, direction = arguments
        indices = bmp.unpack(
            memoryview(file.data)[offset:], *image.size, is_rle4=is_rle4
        )
        mode = "L" if image.mode in ("1", "L") else "P"  # as Pillow's own decoder
        picture = Image.frombytes(mode, image.size, bytes(indices))
        picture.palette = image.palette
        return pillow_array(picture, file.as_ids)[::direction]


def _decode_with(plugin):
    def decode_file(file):
        with plugin(io.BytesIO(file.data)) as image:
            file.check_size(*image.size)
            file.check_single(getattr(image, "n_frames", 1))
            exif, xmp = (image.info.get(name, b"") for name in ("exif", "xmp"))
        pixels = pillow_pixels(file.data, plugin, file.as_ids)
        return upright(pixels, orientation_of(exif, xmp))

    return decode_file


_DECODERS = {
    "PNG": _decode_png,
    "JPEG": _decode_jpeg,
    "TIFF": decode_tiff,
    "PNM": _decode_pnm,
    "NumPy": _decode_numpy,
    "BMP": _decode_bmp,
    "GIF": _decode_with(GifImagePlugin.GifImageFile),
    "WebP": _decode_with(WebPImagePlugin.WebPImageFile),
}
