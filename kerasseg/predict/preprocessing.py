"""Images as models take them: float32, raw 0..255, the model's channels and size.

No tensorflow is needed but for `fit_size`, which resizes.
"""

import numpy as np

from kerasseg.images import values

LUMA = np.float32([0.299, 0.587, 0.114])  # ITU-R BT.601, as in JPEG and OpenCV


def prepare(image, channels=None, value_range=None):
    """An image as models take it: raw values 0..255, float32.

    Args:
        image: [H, W] or [H, W, C], or what `images.as_array` takes (PIL images,
            tensors, files).
        channels: channels the model takes; grey is repeated for 3, RGB weighted for 1.
            None takes what comes.
        value_range: numbers that are black and white; None for what dtype and numbers
            say, see `images.values`.

    Returns:
        float32 [H, W, channels].

    Raises:
        ValueError: if shape, dtype or channels do not fit, values are not finite, or
            their range cannot be known.
    """
    image = values.as_array(image)
    check_image(image, channels)
    image = values.scale(image, value_range)
    image = np.asarray(image).astype("float32", copy=False)
    if image.ndim == 2:
        image = image[..., None]
    if channels in (None, image.shape[2]):
        return image
    return np.repeat(image, 3, axis=2) if channels == 3 else (image @ LUMA)[..., None]


def fit_size(image, size):
    """The image in a model's size: resized by one factor, black at right and below.

    Args:
        image: float32 [H, W, C], of `prepare`.
        size: (height, width).

    Returns:
        float32 [height, width, C], and (rows, columns) of it that the image fills.
    """
    given = image.shape[:2]
    factor = min(want / have for want, have in zip(size, given))
    inner = tuple(max(1, round(have * factor)) for have in given)
    if inner != given:
        from keras import ops  # the only thing here that needs a backend

        image = ops.image.resize(image, inner, antialias=True)
        image = ops.convert_to_numpy(image)
    return pad(image, size), inner


def fit_sides(image, sides, fill=0.0):
    """The image resized by its sides, as detectors are trained (torchvision's rule).

    Args:
        image: float32 [H, W, C], of `prepare`.
        sides: (a, b): the shorter side becomes a, unless the longer one then exceeds b.
        fill: pixel of the padding, a number or C of them.

    Returns:
        float32 [h, w, C], padded at right and below to multiples of 32, and (rows,
        columns) of it that the image fills.

    Example:
        >>> fitted, inner = fit_sides(np.zeros([50, 100, 3], "float32"), (64, 100))
        >>> fitted.shape, inner
        ((64, 128, 3), (50, 100))
    """
    given = image.shape[:2]
    factor = min(sides[0] / min(given), sides[1] / max(given))
    inner = tuple(max(1, int(side * factor)) for side in given)  # rounded down
    if inner != given:
        from keras import ops

        # Without antialiasing, as there.
        image = ops.convert_to_numpy(ops.image.resize(image, inner))
    return pad(image, [-(-side // 32) * 32 for side in inner], fill), inner


def pad(image, size, fill=0.0):
    """float32 [height, width, C]: the image, `fill` (black) at right and below."""
    padded = np.empty((*size, image.shape[2]), image.dtype)
    padded[...] = fill
    padded[: image.shape[0], : image.shape[1]] = image
    return padded


def check_image(image, channels):
    """Refuse an image that `prepare` cannot fit to a model; reads no pixel."""
    shape, dtype = np.shape(image), getattr(image, "dtype", np.dtype(object))
    depth = 1 if len(shape) == 2 else shape[-1] if len(shape) == 3 else 0
    if not depth or 0 in shape or np.dtype(dtype).kind not in "uifb":
        fix = " Give one after the other." if len(shape) == 4 else ""
        raise ValueError(
            "`image` must be an array [H, W] or [H, W, C] of numbers. "
            f"Received: shape={shape}, dtype={dtype}.{fix}"
        )
    if channels not in (None, depth) and (depth, channels) not in ((1, 3), (3, 1)):
        first = len(shape) == 3 and shape[0] == channels
        fix = " Move the axis: numpy.moveaxis(image, 0, 2)." if first else ""
        raise ValueError(
            f"`image` must have {channels} channels, as the model's input. "
            f"Received: shape={shape}.{fix}"
        )


def extend(batch, size, multiple=1, mode="edge"):
    """Continue images at right and below, to the size that a model takes.

    Args:
        batch: [N, H, W, C].
        size: (height, width), None for the next multiple of `multiple`.
        multiple: see `strides.multiple`.
        mode: "edge" by the last row and column, "reflect" by their mirror image.

    Raises:
        ValueError: if the images are larger.
    """
    given = batch.shape[1:3]
    missing = [
        -have % multiple if want is None else want - have
        for want, have in zip(size, given)
    ]
    if min(missing) < 0:
        raise ValueError(
            f"`model` takes only images of {size[0]} x {size[1]} pixels. Received: "
            f"{given[0]} x {given[1]}. Use tile_px=({size[0]}, {size[1]}), or build it "
            "with input_shape=(None, None, 3)."
        )
    if max(missing) == 0:
        return batch
    return np.pad(batch, [(0, 0), *[(0, more) for more in missing], (0, 0)], mode=mode)
