"""Objects without their background: cut out, or before a blurred one."""

import math
import numbers

import cv2
import numpy as np

from kerasseg.viz.overlays import check_same_size, display


def cut_out(image, alpha):
    """Make all but an object transparent.

    Args:
        image: [H, W] or [H, W, C], any dtype; see `display`.
        alpha: opacity 0..1, [H, W] or [H, W, 1]: a mask, or what
            `predict.probabilities` gives for one class.

    Returns:
        uint8 [H, W, 4], RGBA; colours are those of the image, also where it is
        transparent. `PIL.Image.fromarray(found).save("person.png")` writes it.

    Raises:
        ValueError: if sizes differ, or `alpha` is not in 0..1.

    Example:
        >>> photo = np.full([1, 3, 3], 200, "uint8")
        >>> cut_out(photo, [[0, 0.5, 1]])[0].tolist()
        [[200, 200, 200, 0], [200, 200, 200, 128], [200, 200, 200, 255]]
    """
    picture, alpha = _checked(image, alpha)
    opacity = np.round(alpha * 255).astype("uint8")
    return np.concatenate([picture, opacity[..., None]], axis=-1)


def blur_background(image, alpha, sigma):
    """Blur all but an object.

    The blur sees the background alone: the object's colours leave no halo around it.

    Args:
        image, alpha: as in `cut_out`.
        sigma: standard deviation of the Gaussian blur in pixels.

    Returns:
        uint8 [H, W, 3].

    Raises:
        ValueError: if sizes differ, `alpha` is not in 0..1, or `sigma` is not positive.

    Example:
        >>> photo = np.array([[40, 40, 40, 255]], "uint8")
        >>> blur_background(photo, [[0, 0, 0, 1]], sigma=9)[0, :, 0].tolist()
        [40, 40, 40, 255]
    """
    picture, alpha = _checked(image, alpha)
    right = isinstance(sigma, numbers.Real) and not isinstance(sigma, bool)
    if not (right and 0 < sigma < math.inf):
        raise ValueError(
            f"`sigma` must be a positive number of pixels. Received: {sigma!r}."
        )
    opaque = alpha[..., None]
    # A mean of the background around each pixel; far from any, deep in the object, of
    # all pixels, which then is hardly seen.
    weight = np.repeat(1 - opaque, 3, axis=2) + np.float32(1e-4)
    # Beyond a picture there is nothing more to see: larger kernels would only be slow.
    sigma = min(float(sigma), float(max(picture.shape)))
    blurred = cv2.GaussianBlur(picture * weight, (0, 0), sigma)
    blurred /= cv2.GaussianBlur(weight, (0, 0), sigma)
    mixed = opaque * picture + (1 - opaque) * blurred
    return np.clip(np.round(mixed), 0, 255).astype("uint8")


def _checked(image, alpha):
    """The image as uint8 [H, W, 3] and its opacity as float32 [H, W]."""
    picture, alpha = display(image), np.asarray(alpha)
    if alpha.ndim == 3 and alpha.shape[2] == 1:
        alpha = alpha[..., 0]
    if alpha.ndim != 2 or alpha.dtype.kind not in "biuf":
        raise ValueError(
            "`alpha` must be numbers [H, W] or [H, W, 1]. "
            f"Received: shape={alpha.shape}, dtype={alpha.dtype}."
        )
    check_same_size(picture, alpha, "alpha")
    if not ((alpha >= 0) & (alpha <= 1)).all():  # NaN, too
        raise ValueError(
            "`alpha` must be in 0..1; divide a mask of 0 and 255 by 255. "
            f"Received: {alpha.min()} to {alpha.max()}."
        )
    return picture, alpha.astype("float32")
