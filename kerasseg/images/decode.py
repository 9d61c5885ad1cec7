"""Bytes of an image file -> upright pixels.

No decoder is right for every file, so the header decides: OpenCV is fastest on plain
8-bit JPEG and PNG and keeps 16-bit colour, which Pillow cuts to 8 bits; Pillow keeps
palette indices, which OpenCV turns into colours. Plugin classes are called, not
`Image.open`: its pixel limit is process-wide, not a library's to change.
"""

import dataclasses
import io
import math
import pathlib
import struct

import cv2
import numpy as np
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from kerasseg.images import png
from kerasseg.images.content import COPY_AGAIN, ImageError, detect, read_bytes

MAX_PIXELS = 178_956_970  # where Pillow, too, refuses a file as a decompression bomb

_GREY, _RGB = cv2.IMREAD_GRAYSCALE, cv2.IMREAD_COLOR_RGB
_ORIENTATION = 274  # the tag of that name in EXIF and TIFF


@dataclasses.dataclass(frozen=True)
class _File:
    path: pathlib.Path
    data: bytes
    as_ids: bool
    max_pixels: int


def decode(path, *, as_ids=False, max_pixels=MAX_PIXELS):
    """Pixels of an image file, upright, without alpha.

    Args:
        path: the file. Its content decides the format, not its name.
        as_ids: the numbers as stored (palette indices, 0/1 for one bit, 0..15 for
            four) instead of colours and grey levels.
        max_pixels: larger pictures are refused before they are decoded.

    Returns:
        (pixels, lossy): array [H, W] or [H, W, 3] RGB in the dtype of the file, and
        whether the format changes pixel values (JPEG, lossy WebP).

    Raises:
        ImageError: if the file does not hold exactly one complete picture.
    """
    path = pathlib.Path(path)
    data = read_bytes(path, max_pixels)
    kind = detect(path, data)
    lossy = kind == "JPEG" or (kind == "WebP" and b"VP8 " in data)
    try:
        pixels = _DECODERS[kind](_File(path, data, as_ids, max_pixels))
    except ImageError:
        raise
    except Exception as error:  # broken files make decoders raise nearly anything
        reason = " ".join(str(error).split())[:200]
        raise ImageError(
            path,
            f"a complete {kind} file",
            f"one that does not decode ({type(error).__name__}: {reason})",
            f"{COPY_AGAIN}, or save it as PNG",
        ) from error
    return np.ascontiguousarray(pixels), lossy


def _check_size(file, width, height):
    if width < 1 or height < 1:
        raise ImageError(
            file.path,
            "a picture of at least 1 x 1 pixels",
            f"{width} x {height}",
            COPY_AGAIN,
        )
    if width * height > file.max_pixels:
        raise ImageError(
            file.path,
            f"at most {file.max_pixels} pixels (`max_pixels`)",
            f"{width} x {height} = {width * height} pixels",
            "Cut it into tiles, or raise the limit if you trust the file",
        )


def _check_single(file, num_frames):
    if num_frames > 1:
        raise ImageError(
            file.path,
            "a file with one picture",
            f"{num_frames} frames or pages",
            "Save each of them as a file of its own",
        )


def _decode_png(file):
    chunks = png.read_chunks(file.path, file.data)
    width, height, bits, color_type = struct.unpack(">IIBB", chunks[b"IHDR"][0][:10])
    _check_size(file, width, height)
    if b"acTL" in chunks:  # an animated PNG
        _check_single(file, struct.unpack(">I", chunks[b"acTL"][0][:4])[0])
    grey = color_type in (0, 4)
    # libpng prints a warning for each colour profile it does not like: not with OpenCV.
    plain = bits == 8 and color_type in (0, 2, 6) and b"iCCP" not in chunks
    pixels = None
    if plain or bits == 16:
        pixels = _cv2_pixels(file.data, {0: _GREY, 2: _RGB, 6: _RGB}.get(color_type))
    if pixels is None:
        png.check_length(file.path, chunks)
        if bits == 16:  # Pillow would cut it to 8
            raise ValueError("OpenCV cannot read it")
        pixels = _pillow_pixels(file, PngImagePlugin.PngImageFile)
    if grey and pixels.ndim == 3:
        pixels = pixels[..., 0]
    if grey and file.as_ids and bits in (2, 4):
        pixels = pixels // (85 if bits == 2 else 17)  # Pillow stretched them to 0..255
    return _upright(pixels, _orientation(lambda: png.exif(chunks)))


def _decode_jpeg(file):
    # The class itself, not `jpeg_factory`: a phone's file with a second, embedded
    # picture (MPO) is read as the photograph that every viewer shows.
    with JpegImagePlugin.JpegImageFile(io.BytesIO(file.data)) as image:
        size, mode, orientation = image.size, image.mode, _orientation(image.getexif)
    _check_size(file, *size)
    # Decoders fill what is missing with grey. Coded data never hold these markers.
    if file.data.rfind(b"\xff\xd9") < file.data.rfind(b"\xff\xda"):
        raise ImageError(
            file.path,
            "a complete JPEG file",
            f"one cut off at {len(file.data)} bytes",
            COPY_AGAIN,
        )
    ways = {"L": _GREY, "RGB": _RGB}
    pixels = _cv2_pixels(file.data, ways[mode]) if mode in ways else None
    if pixels is None:
        pixels = _pillow_pixels(file, JpegImagePlugin.JpegImageFile)
    return _upright(pixels, orientation)


def _decode_tiff(file):
    tags = _tiff_tags(file)
    _check_size(file, tags[256], tags[257])
    bits, samples = tags.get(258, (1,))[0], tags.get(277, 1)
    signed_bytes = bits == 8 and tags.get(339, (1,))[0] == 2
    if samples > 4 or signed_bytes:
        raise ImageError(
            file.path,
            "1 (grey), 3 (RGB) or 4 (RGB and alpha) unsigned channels",
            f"{samples} channels" + " of signed bytes" * signed_bytes,
            "Save the channels to use as PNG or as a TIFF file of their own",
        )
    if tags.get(262) == 0 and (file.as_ids or bits > 8):
        raise ImageError(
            file.path,
            "a TIFF file in which zero is black",
            "one in which zero is white: programs differ in reading its numbers",
            "Save it as PNG",
        )
    rows_a_strip = max(1, min(tags.get(278, tags[257]), tags[257]))
    strips = math.ceil(tags[257] / rows_a_strip) * (
        samples if tags.get(284) == 2 else 1
    )
    if len(tags.get(273, range(strips))) < strips:  # Pillow would make the rest black
        raise ValueError(f"{len(tags[273])} of {strips} strips")
    if (samples > 2 and bits > 8) or bits == 64:  # Pillow would cut them to 8 bits
        pixels = _cv2_pixels(file.data)
        if pixels is None:
            raise ValueError("OpenCV cannot read it")
        return pixels
    pixels = None
    if tags[256] * tags[257] > (Image.MAX_IMAGE_PIXELS or file.max_pixels):
        pixels = _cv2_pixels(file.data) if bits >= 8 and samples != 2 else None
    if pixels is None:  # within Pillow's own limit
        pixels = _pillow_pixels(file, TiffImagePlugin.TiffImageFile)
    return pixels  # both decoders turn TIFF files upright


def _tiff_tags(file):
    stream = io.BytesIO(file.data)
    tags = TiffImagePlugin.ImageFileDirectory_v2(
        file.data[: 16 if file.data[2] == 43 else 8]  # BigTIFF has a longer header
    )
    pages, seen = [], set()
    while tags.next and tags.next not in seen:
        seen.add(tags.next)
        stream.seek(tags.next)
        tags.load(stream)
        if not tags.get(254, 0) & 1:  # smaller copies (overviews) are no pages
            pages.append(dict(tags))
    _check_single(file, len(pages))
    return pages[0]


def _decode_pnm(file):
    with PpmImagePlugin.PpmImageFile(io.BytesIO(file.data)) as image:
        _check_size(file, *image.size)
        if file.as_ids and image.tile[0][0] != "raw":
            raise ImageError(
                file.path,
                "a mask in a format that stores ids",
                "text or stretched PNM, whose numbers are scaled in reading",
                "Save it as PNG",
            )
    pixels = _pillow_pixels(file, PpmImagePlugin.PpmImageFile)
    return pixels.astype(np.uint16) if pixels.dtype == np.int32 else pixels


def _decode_with(plugin):
    def decode_file(file):
        with plugin(io.BytesIO(file.data)) as image:
            _check_size(file, *image.size)
            _check_single(file, getattr(image, "n_frames", 1))
            orientation = _orientation(image.getexif)
        return _upright(_pillow_pixels(file, plugin), orientation)

    return decode_file


_DECODERS = {
    "PNG": _decode_png,
    "JPEG": _decode_jpeg,
    "TIFF": _decode_tiff,
    "PNM": _decode_pnm,
    "BMP": _decode_with(BmpImagePlugin.BmpImageFile),
    "GIF": _decode_with(GifImagePlugin.GifImageFile),
    "WebP": _decode_with(WebPImagePlugin.WebPImageFile),
}


def _cv2_pixels(data, way=None):
    """[H, W] or [H, W, 3] RGB; None if OpenCV cannot. `way` is for what is known."""
    flags = cv2.IMREAD_ANYCOLOR if way is None else way
    flags |= cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if pixels is None or pixels.ndim == 2 or way is not None:
        return pixels
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def _pillow_pixels(file, plugin):
    with plugin(io.BytesIO(file.data)) as image:
        image.load()
        # A transparent palette entry is a colour like any other here.
        image.info.pop("transparency", None)
        mode = image.mode
        if mode in ("CMYK", "YCbCr", "LAB") or (
            mode in ("P", "PA") and not file.as_ids
        ):
            image = image.convert("RGB")
        pixels = np.asarray(image)
    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8) * (1 if file.as_ids else 255)
    if pixels.ndim == 3:
        pixels = pixels[..., 0] if pixels.shape[2] == 2 else pixels[..., :3]
    return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)


def _orientation(read_exif):
    try:
        return read_exif().get(_ORIENTATION, 1)
    except Exception:  # malformed metadata do not make the picture unreadable
        return 1


def _upright(pixels, orientation):
    """Undo the camera rotation of EXIF orientation 1..8."""
    if orientation in (5, 6, 7, 8):
        pixels = np.swapaxes(pixels, 0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
