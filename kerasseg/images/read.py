"""Reading of image and mask files, and listing of a folder."""

import numbers
import pathlib

import cv2
import numpy as np

from kerasseg.images.class_ids import (
    as_class_ids,
    blurred_fix,
    ids_of_colors,
    ids_of_values,
    merge_equal_channels,
    nearly_grey,
    row_blocks,
)
from kerasseg.images.content import ImageError, check_folder, name_of
from kerasseg.images.decode import MAX_PIXELS, decode
from kerasseg.images.mask_kinds import SPANS, to_paste

EXTENSIONS = frozenset(
    (
        *(".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif"),
        *(".ppm", ".pgm", ".npy"),
    )
)


def read_image(path, *, channels=3, max_pixels=MAX_PIXELS):
    """Read an image file: upright, in RGB order and without alpha.

    Args:
        path: PNG, JPEG, TIFF, BMP, GIF, WebP or PNM file with one image, or a NumPy
            array [H, W] or [H, W, C] in a .npy file; also the bytes of a file, or a
            file object that is open in binary mode.
        channels: 1 for grey, 3 for RGB (grey is repeated), another number for a file of
            so many bands, None as stored.
        max_pixels: larger images are refused before they are decoded.

    Returns:
        Array [H, W, C] in the dtype and range of the file: uint8, uint16 or float32.
        Palette indices become colours, 1 to 4 bits are scaled to 0..255, other number
        formats become float32, and a TIFF whose zero is white is inverted. A TIFF may
        have any number of bands; those at the end that are tagged as alpha are dropped,
        no others, unless `channels` counts them. Pages that are all grey, and that the
        file does not call something else, are bands where `channels`, not 3, is their
        number.

    Raises:
        ImageError: if the file is missing, broken, truncated, animated, of several
            pages that are no bands, too large, holds NaN or infinity, or has another
            number of bands than `channels` asks for. Damage inside a JPEG of full
            length goes unnoticed: the format has no checksums.
        ValueError: if `channels` is not an option.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "image.png"
        >>> _ = cv2.imwrite(path, np.array([[[255, 0, 0]]], "uint8"))  # BGR
        >>> read_image(path).tolist()
        [[[0, 0, 255]]]
    """
    if channels is not None and not (
        isinstance(channels, numbers.Integral)
        and not isinstance(channels, bool)
        and channels > 0
    ):
        raise ValueError(
            "`channels` must be 1 (grey), 3 (RGB), another number of bands, or None. "
            f"Received: channels={channels!r}."
        )
    pixels, _ = decode(path, channels=channels, max_pixels=max_pixels)
    if pixels.dtype not in (np.uint8, np.uint16):
        pixels = finite_float32(path, pixels)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    found = pixels.shape[2]
    if channels in (None, found):
        return pixels
    # Grey shown as colour is the same picture; other numbers of channels are another
    # one.
    if (found, channels) == (1, 3):
        return np.repeat(pixels, 3, axis=2)
    if (found, channels) == (3, 1):
        pixels = np.ascontiguousarray(pixels)
        return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None]
    raise ImageError(
        name_of(path),
        f"{channels} channels",
        f"{found} channels",
        "Save those to use as a file of their own, or read all of them: "
        f"channels={found} (--set 'data.channels={found}')",
    )


def read_bands(path):
    """Read an image file with all of its bands; grey is repeated to RGB.

    For data sets that do not ask how many there are.

    Args:
        path: as in `read_image`.

    Returns:
        Array [H, W, C] as of `read_image`, C not 1.
    """
    pixels = read_image(path, channels=None)
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def finite_float32(path, pixels):
    """Finite numbers as float32, part by part: temporary arrays stay small."""
    bad = sum(part.size - np.isfinite(part).sum() for part in row_blocks(pixels))
    if bad:
        raise ImageError(
            name_of(path),
            "finite numbers",
            f"{bad} of {pixels.size} that are NaN or infinite",
            "Replace them, for example by 0, and mark the place as ignored in the mask",
        )
    if pixels.dtype == np.float32:
        return pixels
    converted = np.empty(pixels.shape, np.float32)
    for part, given in zip(row_blocks(converted), row_blocks(pixels)):
        with np.errstate(over="ignore"):
            part[...] = given
        # float32 holds integers up to 2^24 exactly; a rounded id or depth is a wrong
        # one, and so is a float64 beyond all of float32.
        if given.dtype.kind in "iu":
            fits = np.array_equal(part, given)
        else:
            fits = np.isfinite(part).all()
        if not fits:
            raise ImageError(
                name_of(path),
                "numbers that float32 can hold"
                + ", up to 2**24" * (given.dtype.kind in "iu"),
                f"{pixels.dtype} from {pixels.min()} to {pixels.max()}",
                "Scale the image and save it as uint16 or float32",
            )
    return converted


def read_mask(path, *, colors=None, values=None, max_pixels=MAX_PIXELS):
    """Read the class ids of a mask file, exactly as stored.

    A palette PNG gives its indices, a 1-bit image 0 and 1, a grey image its values.
    Three equal channels are read as grey; other colours need `colors`.

    Args:
        path: PNG or another lossless format that `read_image` reads, or its bytes, or a
            file object.
        colors: for masks that encode classes by colour: mapping (r, g, b) -> class id,
            or a sequence of (r, g, b), the position being the id. Keys may also be
            written as "r,g,b" or "#rrggbb". Palette entries are then looked up as
            colours, too.
        values: for masks whose values are not class ids: mapping of the value in the
            file, or of a range of values written as "0-127", to the class id. Every
            value that occurs must be in it. {0: 0, 255: 1} is for black and white
            masks, {"0-127": 0, "128-255": 1} for those that were saved as JPEG.
        max_pixels: larger images are refused before they are decoded.

    Returns:
        int32 [H, W].

    Raises:
        ImageError: as `read_image`; also for colours or values that are not in the
            mapping, values that are not ids, and lossy files without `values`.
        ValueError: if `colors` or `values` is malformed.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "mask.png"
        >>> _ = cv2.imwrite(path, np.array([[0, 255]], "uint8"))
        >>> read_mask(path, values={0: 0, 255: 1}).tolist()
        [[0, 1]]
    """
    if colors is not None and values is not None:
        raise ValueError(
            "Give either `colors` or `values`. "
            f"Received: colors={colors!r}, values={values!r}."
        )
    pixels, lossy = decode(path, as_ids=colors is None, max_pixels=max_pixels)
    if lossy and values is None:
        fix = None if nearly_grey(pixels) is not None else blurred_fix(pixels)
        raise ImageError(
            name_of(path),
            "a lossless format such as PNG, because compression changes class ids",
            "JPEG or lossy WebP",
            fix or f"Export the masks again, or map spans: {to_paste('values', SPANS)}",
        )
    path = name_of(path)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if colors is not None:
        return ids_of_colors(path, pixels, colors)
    if pixels.ndim == 3:
        grey = None if values is None else nearly_grey(pixels)
        pixels = merge_equal_channels(path, pixels) if grey is None else grey
    if values is not None:
        return ids_of_values(path, pixels, values)
    return as_class_ids(path, pixels)


def find_images(folder):
    """List the image files of a folder by their extension, sorted by name.

    Args:
        folder: path. Folders inside it and hidden files are left out.

    Returns:
        list of pathlib.Path.

    Raises:
        ImageError: if there is no such folder.
    """
    folder = pathlib.Path(folder)
    check_folder(folder)
    return [
        file
        for file in sorted(folder.iterdir())
        # Hidden files, such as macOS' "._a.png", hold metadata.
        if file.name[0] != "." and file.suffix.lower() in EXTENSIONS and file.is_file()
    ]
