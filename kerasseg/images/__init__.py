"""Reading and writing of image and mask files, for the whole package.

A file is either read correctly or refused with an `ImageError`; class ids are never
changed on the way. Needs numpy, OpenCV and Pillow, not tensorflow.

    >>> import pathlib, tempfile
    >>> from kerasseg import images
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "mask.png"
    >>> images.write_mask(path, np.array([[0, 1], [2, 255]]))
    >>> images.read_mask(path).tolist()
    [[0, 1], [2, 255]]
"""

from kerasseg.images.arrays import as_array
from kerasseg.images.content import ImageError, check_folder
from kerasseg.images.decode import MAX_PIXELS
from kerasseg.images.listing import find_pictures
from kerasseg.images.read import (
    EXTENSIONS,
    find_images,
    read_bands,
    read_image,
    read_mask,
)
from kerasseg.images.values import DataRange, scale
from kerasseg.images.write import write_animation, write_image, write_mask

__all__ = [
    "EXTENSIONS",
    "MAX_PIXELS",
    "DataRange",
    "ImageError",
    "as_array",
    "check_folder",
    "find_images",
    "find_pictures",
    "read_bands",
    "read_image",
    "read_mask",
    "scale",
    "write_animation",
    "write_image",
    "write_mask",
]
