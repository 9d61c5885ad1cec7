"""Resolution of the masks of instance models: a quarter of the image on each side."""

import numbers

STRIDE = 4  # pixels of the image per pixel of a mask
MULTIPLE = 32  # all levels of an encoder, up to stride 32, then halve exactly


def mask_size(image_size):
    """Size of the masks of an instance model for images of one size.

    Args:
        image_size: (height, width) in pixels.

    Returns:
        (height, width) of the masks, a quarter of it.

    Raises:
        ValueError: if they are not two positive multiples of 32.

    Example:
        >>> mask_size((64, 96))
        (16, 24)
    """
    sizes = tuple(image_size) if isinstance(image_size, (list, tuple)) else ()
    whole = all(
        isinstance(n, numbers.Integral) and n > 0 and n % MULTIPLE == 0 for n in sizes
    )
    if len(sizes) != 2 or not whole:
        raise ValueError(
            "`image_size` must be (height, width), two multiples of 32. "
            f"Received: image_size={image_size!r}."
        )
    return sizes[0] // STRIDE, sizes[1] // STRIDE
