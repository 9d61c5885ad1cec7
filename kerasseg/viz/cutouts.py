"""Objects without their background: cut out, or before another one."""

import math
import numbers

import cv2
import numpy as np

from kerasseg.viz.overlays import check_same_size, display

WIDTHS_PX = (90, 6)  # of the two passes, as published


def cut_out(image, alpha):
    """Make all but an object transparent.

    Args:
        image: [H, W] or [H, W, C], any dtype; see `display`.
        alpha: opacity 0..1, [H, W] or [H, W, 1]: a mask, or what
            `predict.probabilities` gives for one class.

    Returns:
        uint8 [H, W, 4], RGBA, which `images.write_image` writes as PNG or WebP. Colours
        are those of the image, also where it is transparent; `foreground` takes the
        background out of them at soft edges.

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


def replace_background(image, alpha, background):
    """Put an object before another background.

    At soft edges the old background is taken out of the colours, see `foreground`.

    Args:
        image, alpha: as in `cut_out`.
        background: (r, g, b), 0..255, or an image of any size, also its file, which is
            enlarged or reduced to cover the picture and cut at the sides that stick
            out.

    Returns:
        uint8 [H, W, 3].

    Raises:
        ValueError: if sizes differ, `alpha` is not in 0..1, or `background` is neither.

    Example:
        >>> photo = np.full([1, 3, 3], 200, "uint8")
        >>> replace_background(photo, [[0, 0.5, 1]], (0, 100, 0))[0].tolist()
        [[0, 100, 0], [100, 150, 100], [200, 200, 200]]
    """
    picture, alpha = _checked(image, alpha)
    behind = _covering(background, picture.shape[:2]).astype("float32")
    before, opaque = foreground(picture, alpha).astype("float32"), alpha[..., None]
    mixed = opaque * before + (1 - opaque) * behind
    return np.clip(np.round(mixed), 0, 255).astype("uint8")


def grey_background(image, alpha):
    """Leave an object in colour and take the colours from all else.

    Args:
        image, alpha: as in `cut_out`.

    Returns:
        uint8 [H, W, 3].

    Raises:
        ValueError: as in `cut_out`.

    Example:
        >>> red = np.full([1, 2, 3], (255, 0, 0), "uint8")
        >>> grey_background(red, [[1, 0]])[0].tolist()
        [[255, 0, 0], [76, 76, 76]]
    """
    picture, alpha = _checked(image, alpha)
    grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    opaque = alpha[..., None]
    return np.round(opaque * picture + (1 - opaque) * grey).astype("uint8")


def foreground(image, alpha):
    """Colours of an object alone, without the background that shines through its edge.

    Where the object is half transparent, a pixel of the image is a mixture; this is
    the part of the object, continued from where it is opaque.

    Args:
        image, alpha: as in `cut_out`.

    Returns:
        uint8 [H, W, 3]: the image where `alpha` is 1; where it is 0, colours of the
        object near by.

    Raises:
        ValueError: as in `cut_out`.

    Example:
        >>> mixed = np.array([[255, 255, 255, 128, 0, 0]], "uint8")  # white on black
        >>> foreground(mixed, [[1, 1, 1, 0.5, 0, 0]])[0, 3].tolist()
        [245, 245, 245]

    Reference: Forte, 2021, https://arxiv.org/abs/2006.14970
    """
    picture, alpha = _checked(image, alpha)
    mixed, opaque = picture.astype("float32"), alpha[..., None]
    front = behind = mixed
    for width in WIDTHS_PX:
        near = _mean(front, opaque, width), _mean(behind, 1 - opaque, width)
        rest = mixed - opaque * near[0] - (1 - opaque) * near[1]
        front, behind = near[0] + opaque * rest, near[1]
    return np.clip(np.round(front), 0, 255).astype("uint8")


def _mean(colors, weights, width):
    """Weighted mean of the colours around each pixel."""
    size = (width, width)
    total = cv2.blur(colors * weights, size)
    return total / (cv2.blur(weights, size)[..., None] + 1e-5)


def _covering(background, size):
    """A background as uint8 [*size, 3]."""
    found = np.asarray(background)
    if found.ndim == 1:
        fits = found.shape == (3,) and found.dtype.kind in "iuf"
        if not fits or not ((found >= 0) & (found <= 255)).all():
            raise ValueError(
                "`background` must be an image, or (r, g, b) in 0..255. "
                f"Received: {background!r}."
            )
        return np.full([*size, 3], np.round(found), "uint8")
    behind = display(background)
    scale = max(want / have for want, have in zip(size, behind.shape))
    sides = [max(want, round(n * scale)) for want, n in zip(size, behind.shape)]
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    behind = cv2.resize(behind, sides[::-1], interpolation=method)
    top, left = ((have - want) // 2 for have, want in zip(behind.shape, size))
    return behind[top : top + size[0], left : left + size[1]]


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
