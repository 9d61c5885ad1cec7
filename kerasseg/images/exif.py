"""The orientation in EXIF metadata, and nothing else of them.

Pillow keeps the values of all tags, of which each may claim the whole block: 6 MB of
metadata take 300 GB.
"""

import re
import struct

ORIENTATION = 274  # the tag of that name in EXIF and TIFF


def orientation_of(metadata, xmp=b""):
    """EXIF orientation 1..8; 1 where there is none, or none that can be read.

    Args:
        metadata: bytes, with or without the "Exif" of JPEG before them.
        xmp: bytes of XMP, where some programs write it alone.
    """
    try:
        found = _first_directory(bytes(metadata).removeprefix(b"Exif\0\0"))
    except (KeyError, struct.error):  # the picture can be read all the same
        found = None
    if found is None and (
        match := re.search(rb"tiff:Orientation(?:=\"|>)([1-8])", xmp)
    ):
        found = int(match[1])
    return found if found in range(1, 9) else 1


def _first_directory(block):
    order = {b"II": "<", b"MM": ">"}[block[:2]]
    (start,) = struct.unpack_from(f"{order}I", block, 4)
    (num,) = struct.unpack_from(f"{order}H", block, start)
    for place in range(start + 2, start + 2 + 12 * num, 12):
        tag, kind, count = struct.unpack_from(f"{order}HHI", block, place)
        if tag == ORIENTATION and count == 1 and kind in (3, 4):  # 16 or 32 bits
            form = order + {3: "H", 4: "I"}[kind]
            return struct.unpack_from(form, block, place + 8)[0]
    return None
