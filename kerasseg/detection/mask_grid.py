"""The canvas that instance models draw masks on: a quarter of the image a side."""

STRIDE = 4  # pixels of the image per pixel of the canvas
MULTIPLE = 32  # so that every level of an encoder halves the one before exactly


def mask_size(image_size):
    """Size of the masks that belong to images of one size.

    Args:
        image_size: (height, width) in pixels.

    Returns:
        (rows, columns), a quarter of it.

    Raises:
        ValueError: unless both are multiples of 32.

    Example:
        >>> mask_size((64, 96))
        (16, 24)
    """
    sizes = tuple(image_size)
    whole = all(isinstance(n, int) and n > 0 and n % MULTIPLE == 0 for n in sizes)
    if len(sizes) != 2 or not whole:
        raise ValueError(
            "`image_size` must be (height, width), two multiples of 32. "
            f"Received: image_size={image_size!r}."
        )
    return sizes[0] // STRIDE, sizes[1] // STRIDE
