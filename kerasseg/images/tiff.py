"""Pages of TIFF files, and a check of them that Pillow leaves out."""

import io
import math

from PIL.TiffImagePlugin import (
    COMPRESSION,
    IMAGELENGTH,
    PLANAR_CONFIGURATION,
    ROWSPERSTRIP,
    SAMPLESPERPIXEL,
    STRIPOFFSETS,
    ImageFileDirectory_v2,
)

LOSSY = (6, 7, 34712, 34887, 50001)  # JPEG, old and new, JPEG 2000, LERC, WebP
NEW_SUBFILE_TYPE = 254  # the tag of that name, for which Pillow has no constant


def read_pages(data):
    """Tags of each page of a TIFF file, no overviews or masks: list of dicts.

    Args:
        data: bytes of the file.

    Returns:
        One dict per page from the numbers of tags to their values.
    """
    stream = io.BytesIO(data)
    header = data[: 16 if data[2] == 43 else 8]  # BigTIFF has a longer header
    tags = ImageFileDirectory_v2(header)
    pages, seen = [], set()  # seen offsets: a broken chain of pages may be circular
    while tags.next and tags.next not in seen:
        seen.add(tags.next)
        stream.seek(tags.next)
        tags.load(stream)
        if not is_extra(tags.get(NEW_SUBFILE_TYPE, 0)):
            pages.append(dict(tags))
    return pages


def is_extra(kind):
    """Whether a page, by its tag NewSubfileType, is a reduced copy or a mask."""
    return bool(kind & (1 | 4))


def is_lossy(data):
    """Whether a page of a TIFF file is compressed by what changes its numbers."""
    return any(tags.get(COMPRESSION) in LOSSY for tags in read_pages(data))


def check_strips(tags):
    """Raise a ValueError if strips are missing: Pillow would leave them black."""
    height = tags[IMAGELENGTH]
    rows_per_strip = max(1, min(tags.get(ROWSPERSTRIP, height), height))
    num_strips = math.ceil(height / rows_per_strip)
    if tags.get(PLANAR_CONFIGURATION) == 2:  # one plane per channel
        num_strips *= tags.get(SAMPLESPERPIXEL, 1)
    # Tiled files have no strips.
    if len(tags.get(STRIPOFFSETS, range(num_strips))) < num_strips:
        raise ValueError(f"{len(tags[STRIPOFFSETS])} of {num_strips} strips")
