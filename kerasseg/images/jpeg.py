"""Headers of JPEG files, and the limit of their scans."""

import struct
from typing import NamedTuple

from kerasseg.images.content import RETRY_FIX, ImageError

# Encoders write 10 or fewer. Each goes over the whole picture again, in 20 bytes.
MAX_SCANS = 64
SCANS_OF_LARGEST = 16  # of a picture of `max_pixels`
_ALONE = {0x01, *range(0xD0, 0xDA)}  # markers without content
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}


class Header(NamedTuple):
    """Size, channels, EXIF and XMP metadata, from before the first scan."""

    width: int
    height: int
    num_channels: int
    exif: bytes
    xmp: bytes


def read_header(data):
    """`Header` of a file's bytes; a ValueError or struct.error if it has none."""
    place, frame, exif, xmp = 2, None, b"", b""
    while True:
        if data[place] != 0xFF:
            raise ValueError(f"no marker at byte {place}")
        marker, place = data[place + 1], place + 1
        if marker == 0xFF:  # filling
            continue
        place += 1
        if marker in _ALONE:
            continue
        (num,) = struct.unpack_from(">H", data, place)
        if marker in _FRAMES:
            frame = struct.unpack_from(">HHB", data, place + 3)
        elif marker == 0xE1:
            part = data[place + 2 : place + num]
            if part.startswith(b"Exif\0\0"):
                exif = exif or part
            elif part.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
                xmp = xmp or part
        elif marker == 0xDA:
            break
        place += num
    if frame is None:
        raise ValueError("a scan before the size")
    height, width, num_channels = frame
    return Header(width, height, num_channels, exif, xmp)


def check_scans(file, num_pixels, num_parts=1):
    """Refuse a file whose scans take many times as long as its picture should.

    Args:
        file: `limits.File`.
        num_pixels: of the picture.
        num_parts: strips or tiles that it is divided into, each with scans of its own.

    Raises:
        ImageError: says how many there are, and how many are read.
    """
    most = SCANS_OF_LARGEST * file.max_pixels // max(num_pixels, 1)
    most = min(max(most, SCANS_OF_LARGEST), MAX_SCANS) * num_parts
    found = file.data.count(b"\xff\xda")  # never inside the coded data of a scan
    if found > most:
        raise ImageError(
            file.path,
            f"a JPEG file of at most {most} scans",
            f"{found} scans of {num_pixels} pixels",
            f"{RETRY_FIX}, without progressive coding",
        )
