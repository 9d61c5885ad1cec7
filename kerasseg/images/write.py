"""Atomic writing of image and mask files: complete or not at all."""

import io
import pathlib

import cv2
import numpy as np
from PIL import Image

from kerasseg import files


def write_image(path, image):
    """Write an image file; the file appears complete or not at all.

    Args:
        path: file to write; the extension selects the format: .png, .jpg, .tif, .bmp or
            .webp. Missing folders are made.
        image: [H, W], [H, W, 1] or [H, W, 3] RGB; uint8, uint16 (PNG, TIFF) or
            float32 (TIFF).

    Raises:
        ValueError: if the format cannot hold the image as it is.
    """
    path, image = pathlib.Path(path), np.asarray(image)
    extension = path.suffix.lower()
    formats = {
        "uint8": (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp"),
        "uint16": (".png", ".tif", ".tiff"),
        "float32": (".tif", ".tiff"),
    }
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or image.shape[2] not in (1, 3) or 0 in image.shape:
        raise ValueError(
            "`image` must have the shape [H, W], [H, W, 1] or [H, W, 3]. "
            f"Received: shape={image.shape} for {path}."
        )
    if extension not in formats.get(image.dtype.name, ()):
        raise ValueError(
            "`image` must be uint8 (.png, .jpg, .tif, .bmp, .webp), uint16 (.png, "
            f".tif) or float32 (.tif). Received: {image.dtype} for {path}."
        )
    stored = image if image.shape[2] == 1 else image[..., ::-1]  # OpenCV writes BGR
    written, data = cv2.imencode(extension, np.ascontiguousarray(stored))
    if not written:
        raise ValueError(f"OpenCV cannot write {image.shape} as {extension}: {path}.")
    # Not durable: images can be written again, and an fsync takes a few ms.
    files.replace(path, lambda part: part.write_bytes(data), durable=False)


def write_mask(path, label, *, palette=None):
    """Write class ids as a PNG file that `read_mask` reads back unchanged.

    Args:
        path: file to write, ending in .png. Missing folders are made.
        label: class ids [H, W], integers 0..65535, or bool. Ids above 255 make a 16-bit
            file.
        palette: uint8 [K, 3], K <= 256: colours in which viewers show the ids. Ids from
            K on are shown in the ivory that PASCAL VOC uses for void.

    Raises:
        ValueError: if the file cannot hold exactly these ids.
    """
    path, label = pathlib.Path(path), np.asarray(label)
    if path.suffix.lower() != ".png":
        raise ValueError(f"Masks are written as .png. Received: {path}.")
    if label.ndim != 2 or not label.size or label.dtype.kind not in "iub":
        raise ValueError(
            "`label` must be integers [H, W]. "
            f"Received: {label.dtype} of shape {label.shape} for {path}."
        )
    low, high = int(label.min()), int(label.max())
    limit = 65535 if palette is None else 255
    if low < 0 or high > limit:
        raise ValueError(
            f"`label` must be within 0..{limit}{' with a palette' * (limit == 255)}. "
            f"Received: {low}..{high} for {path}."
        )
    image = Image.fromarray(label.astype(np.uint16 if high > 255 else np.uint8))
    if palette is not None:
        image.putpalette(_palette_bytes(palette))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    content = stream.getvalue()
    files.replace(path, lambda part: part.write_bytes(content), durable=False)


def _palette_bytes(palette):
    palette = np.asarray(palette)
    if palette.ndim != 2 or palette.shape[1] != 3 or len(palette) > 256:
        raise ValueError(
            "`palette` must have the shape [K, 3], K <= 256. "
            f"Received: {palette.shape}."
        )
    if palette.dtype.kind not in "iu" or palette.min() < 0 or palette.max() > 255:
        raise ValueError(
            f"`palette` must be uint8. Received: {palette.dtype}, "
            f"{palette.min()}..{palette.max()}."
        )
    full = np.tile(np.array([224, 224, 192], np.uint8), (256, 1))
    full[: len(palette)] = palette
    return full.tobytes()
