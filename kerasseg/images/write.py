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
            float32 (TIFF). [H, W, 4] is RGBA uint8, for PNG and WebP.

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
    has_alpha = image.dtype == "uint8" and extension in (".png", ".webp")
    channels = (1, 3, 4) if has_alpha else (1, 3)
    if image.ndim != 3 or image.shape[2] not in channels or 0 in image.shape:
        raise ValueError(
            "`image` must have the shape [H, W], [H, W, 1] or [H, W, 3], or [H, W, 4] "
            f"of uint8 for .png and .webp. Received: {image.dtype} {image.shape} for "
            f"{path}."
        )
    if extension not in formats.get(image.dtype.name, ()):
        raise ValueError(
            "`image` must be uint8 (.png, .jpg, .tif, .bmp, .webp), uint16 (.png, "
            f".tif) or float32 (.tif). Received: {image.dtype} for {path}."
        )
    order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[image.shape[2]]  # OpenCV's BGR
    stored = image[..., order]
    written, data = cv2.imencode(extension, np.ascontiguousarray(stored))
    if not written:
        raise ValueError(f"OpenCV cannot write {image.shape} as {extension}: {path}.")
    # Not durable: images can be written again, and an fsync takes a few ms.
    files.replace(path, lambda part: part.write_bytes(data), durable=False)


def write_animation(path, frames, fps=10):
    """Write an animated picture, which plays wherever pictures are shown.

    Args:
        path: file to write, .gif (256 colours) or .webp (smaller, all colours).
        frames: uint8 [H, W, 3] of one size, any iterable; Pillow keeps those of a .gif
            until it writes. A clip of more than some seconds is better a .webm, see
            `video.write_clip`.
        fps: frames per second; a GIF counts in hundredths of a second.

    Raises:
        ValueError: for another extension or no frames, or frames that differ in size.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.gif"
        >>> write_animation(path, [np.full([8, 8, 3], x, "uint8") for x in (0, 90)])
        >>> with Image.open(path) as film:
        ...     film.n_frames
        2
    """
    path = pathlib.Path(path)
    if path.suffix.lower() not in (".gif", ".webp"):
        raise ValueError(f"Animations are written as .gif or .webp. Received: {path}.")
    pictures = _checked_frames(frames)
    first = next(pictures, None)
    if first is None:
        raise ValueError("`frames` must hold one picture or more. Received: none.")
    stream, timing = io.BytesIO(), {"duration": round(1000 / fps), "loop": 0}
    kind = path.suffix[1:].upper()
    first.save(stream, kind, save_all=True, append_images=pictures, **timing)
    content = stream.getvalue()
    files.replace(path, lambda part: part.write_bytes(content), durable=False)


def _checked_frames(frames):
    """Frames as pictures of Pillow."""
    shape = None
    for frame in frames:
        frame = np.asarray(frame)
        shape = shape or frame.shape
        fits = frame.dtype == "uint8" and frame.ndim == 3 and frame.shape[2] == 3
        if not fits or frame.shape != shape:
            raise ValueError(
                f"`frames` must be uint8 [H, W, 3] of one size, {shape} as the first. "
                f"Received: {frame.dtype} {frame.shape}."
            )
        yield Image.fromarray(frame)


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
