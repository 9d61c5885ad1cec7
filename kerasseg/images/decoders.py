"""OpenCV and Pillow as decoders of one image in memory, and EXIF orientation."""

import io

import cv2
import numpy as np

from kerasseg.images.exif import ORIENTATION

GREY, RGB = cv2.IMREAD_GRAYSCALE, cv2.IMREAD_COLOR_RGB


def opencv_pixels(data, mode=None):
    """Decode by OpenCV.

    Args:
        data: bytes of the file.
        mode: `GREY` or `RGB`; None keeps the channels of the file.

    Returns:
        [H, W] or [H, W, 3] RGB in the dtype of the file; None if OpenCV cannot decode
        it.
    """
    flags = cv2.IMREAD_ANYCOLOR if mode is None else mode
    # OpenCV 5.0 applies EXIF orientation only in colour: `upright` does it instead.
    flags |= cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if pixels is None or pixels.ndim == 2 or mode is not None:
        return pixels
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def pillow_pixels(data, plugin, as_ids):
    """Decode by a plugin class of Pillow.

    Args:
        data: bytes of the file.
        plugin: such as `PIL.PngImagePlugin.PngImageFile`.
        as_ids: return palette indices and bits as stored, not as colours.

    Returns:
        [H, W] or [H, W, 3] RGB, without alpha, in native byte order.
    """
    with plugin(io.BytesIO(data)) as image:
        image.load()
        return pillow_array(image, as_ids)


def pillow_array(image, as_ids):
    """Pixels of a PIL image, as `pillow_pixels` gives them."""
    # Alpha is dropped: a transparent palette entry is a colour like any other.
    image.info.pop("transparency", None)
    mode = image.mode
    if mode in ("CMYK", "YCbCr", "LAB", "HSV") or (mode in ("P", "PA") and not as_ids):
        image = image.convert("RGB")
    pixels = np.asarray(image)
    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8) * (1 if as_ids else 255)
    if pixels.ndim == 3:
        pixels = pixels[..., 0] if pixels.shape[2] == 2 else pixels[..., :3]
    return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)


def read_orientation(read_exif):
    """EXIF orientation 1..8 of the metadata that a function reads; 1 if unreadable."""
    try:
        return read_exif().get(ORIENTATION, 1)
    except Exception:  # malformed metadata do not make the picture unreadable
        return 1


def upright(pixels, orientation):
    """Undo the camera rotation of EXIF orientation 1..8."""
    if orientation in (5, 6, 7, 8):
        pixels = np.swapaxes(pixels, 0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
