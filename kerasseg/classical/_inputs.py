"""Argument checks of the classical methods, and conversion of images to one range."""

import math
import numbers

import cv2
import numpy as np

from kerasseg.images import values


def check_image(image):
    """Image as an array [H, W, C], C = 1 or 3, in its own dtype and range.

    Raises:
        ValueError: if it is empty, complex, not numeric or not finite, or has another
            number of channels.
    """
    image = values.as_array(image)
    shape, channels = image.shape, image.shape[-1] if image.ndim == 3 else 1
    if image.ndim not in (2, 3) or channels not in (1, 3) or 0 in shape:
        raise ValueError(
            "`image` must be grey [H, W] or [H, W, 1], or RGB [H, W, 3], with at least "
            f"one pixel. Received: shape={shape}. Drop alpha by image[..., :3]; choose "
            "channels of other images."
        )
    if image.dtype.kind not in "iufb":
        raise ValueError(
            f"`image` must be real numbers. Received: dtype={image.dtype}."
        )
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        count = image.size - np.count_nonzero(np.isfinite(image))
        raise ValueError(
            "`image` must be finite. "
            f"Received: {count} of {image.size} values that are NaN or infinite."
        )
    return image if image.ndim == 3 else image[..., None]


def unit_range(image):
    """Image as float32 [H, W, C], 0 its darkest and 1 its brightest number.

    Any form of a picture gives the same, see `images.values.stretch`; black and white
    of an image of `images.scale` stay those of its range.

    Raises:
        ValueError: as `check_image`.
    """
    return values.stretch(check_image(image))


def rgb_uint8(image):
    """Image as uint8 [H, W, 3], contiguous: OpenCV 5.0 refuses reversed views."""
    # OpenCV's GrabCut and mean shift take 8-bit colours only.
    image = np.round(unit_range(image) * 255).astype("uint8")
    if image.shape[2] == 1:
        image = np.repeat(image, 3, axis=2)
    return np.ascontiguousarray(image)


def lab(image, sigma=0.0):
    """Image as CIELAB float32 [H, W, 3], L in 0..100, blurred by `sigma` px."""
    image = unit_range(image)
    if image.shape[2] == 1:
        image = np.repeat(image, 3, axis=2)
    if sigma > 0:
        image = cv2.GaussianBlur(image, (0, 0), sigma)
    # float32 in 0..1 gives L in 0..100; of uint8 OpenCV would scale all three to
    # 0..255.
    return cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2LAB)


def grey(image):
    """Image as float32 [H, W] in 0..1: the luma (ITU-R BT.601) of RGB."""
    image = np.ascontiguousarray(unit_range(image))
    if image.shape[2] == 1:
        return image[..., 0]
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def check_labels(labels, size=None, *, name="labels"):
    """Label map as int32 [H, W].

    Args:
        labels: non-negative integers [H, W].
        size: required (height, width); None for any.
        name: of the argument, for the message.

    Raises:
        ValueError: if it is empty, not integers, of another size, or out of range.
    """
    labels = np.asarray(labels)
    if labels.ndim != 2 or labels.dtype.kind not in "iub" or not labels.size:
        raise ValueError(
            f"`{name}` must be integers [H, W], not empty. "
            f"Received: shape={labels.shape}, dtype={labels.dtype}."
        )
    if size is not None and labels.shape != tuple(size):
        raise ValueError(
            f"`{name}` must have the size of the image, {tuple(size)}. "
            f"Received: shape={labels.shape}."
        )
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= 2**31:
        raise ValueError(
            f"`{name}` must be within 0..{2**31 - 1}. Received: {low}..{high}."
        )
    return labels.astype("int32", copy=False)


def check_number(value, name, low, high=math.inf):
    """Raise a ValueError unless `value` is a number within low..high.

    An integer `low` asks for an integer, a float for any real number.
    """
    kind, word = numbers.Real, "a number"
    if isinstance(low, int):
        kind, word = numbers.Integral, "an integer"
    if (
        not isinstance(value, kind)
        or isinstance(value, bool)
        or not low <= value <= high
    ):
        limits = f"{low} or more" if high == math.inf else f"within {low}..{high}"
        raise ValueError(
            f"`{name}` must be {word}, {limits}. Received: {name}={value!r}."
        )


def check_choice(value, name, choices):
    """Raise a ValueError unless `value` is one of `choices`."""
    if value not in choices:
        raise ValueError(
            f"`{name}` must be {', '.join(map(repr, choices[:-1]))} or "
            f"{choices[-1]!r}. Received: {name}={value!r}."
        )
