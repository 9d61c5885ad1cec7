"""Arrays from whatever holds a picture: PIL images, tensors, bytes, files."""

import os

import numpy as np
from PIL import Image

from kerasseg.images.decoders import pillow_array, read_orientation, upright
from kerasseg.images.read import read_image


def as_array(image):
    """A picture as an array, in its own numbers.

    Args:
        image: array or anything that numpy reads (lists, tensors of TensorFlow, JAX);
            a PIL image: upright, in RGB or grey, without alpha; a path, the bytes of an
            image file, or a file object, which are read by `images.read_image`.

    Returns:
        numpy array; an array is given back as it is.

    Example:
        >>> as_array(Image.new("RGBA", (3, 2), (7, 8, 9, 0)))[0, 0].tolist()
        [7, 8, 9]
    """
    if isinstance(image, np.ndarray):
        return image
    if isinstance(image, Image.Image):
        orientation = read_orientation(image.getexif)
        return upright(pillow_array(image.copy(), False), orientation)
    is_file = isinstance(image, (str, os.PathLike, bytes, bytearray))
    if is_file or hasattr(image, "read"):
        return read_image(image, channels=None)
    image = np.asarray(image)
    # Mixed precision's, which NumPy does not know.
    return image.astype("float32") if image.dtype.name == "bfloat16" else image
