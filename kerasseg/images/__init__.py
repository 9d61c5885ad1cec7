"""Reads and writes image and mask files: the only place where this is done.

A file is either read correctly or refused with an `ImageError`; class ids are never
changed on the way. Needs numpy, OpenCV and Pillow, not tensorflow.

    >>> from kerasseg import images
    >>> image = images.read_image("street.jpg")  # doctest: +SKIP
"""

from kerasseg.images.content import ImageError, check_folder
from kerasseg.images.decode import MAX_PIXELS
from kerasseg.images.read import EXTENSIONS, find_images, read_image, read_mask
from kerasseg.images.write import write_image, write_mask

__all__ = [
    "EXTENSIONS",
    "MAX_PIXELS",
    "ImageError",
    "check_folder",
    "find_images",
    "read_image",
    "read_mask",
    "write_image",
    "write_mask",
]
