"""Chunks of PNG files, and the checks of them that Pillow leaves out."""

import struct
import zlib

from kerasseg.images.content import RETRY_FIX, ImageError

# In the order in which they must stand.
KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
MAX_CHUNKS = 2**18  # of 8 kB, as libpng writes them, 2 GB


def read_chunks(path, data):
    """Chunks of a PNG file after checking their checksums.

    Returns:
        dict from name, such as b"IHDR", to the list of the contents of these chunks.

    Raises:
        ImageError: if a checksum is wrong or the file ends before IEND.
    """
    view, position, chunks, num = memoryview(data), 8, {}, 0
    while position + 12 <= len(view):
        num_bytes, name = struct.unpack_from(">I4s", view, position)
        end = position + 12 + num_bytes
        num += 1
        if end > len(view) or num > MAX_CHUNKS:
            break
        (checksum,) = struct.unpack_from(">I", view, end - 4)
        if zlib.crc32(view[position + 4 : end - 4]) != checksum:
            raise ImageError(
                path,
                "an intact PNG file",
                f"a wrong checksum in its {name.decode('latin1')} chunk",
                RETRY_FIX,
            )
        chunks.setdefault(name, []).append(view[position + 8 : end - 4])
        if name == b"IEND":
            return chunks
        position = end
    raise ImageError(
        path,
        "a complete PNG file",
        f"one cut off at {len(view)} bytes",
        RETRY_FIX,
    )


def check_length(path, chunks):
    """Raise an ImageError if pixels are missing: Pillow would leave them black."""
    header = struct.unpack(">IIBBBBB", chunks[b"IHDR"][0])
    width, height, bits, color_type, _, _, interlaced = header
    bits *= {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color_type]
    # Left, top, step right and step down of each pass (Adam7 interlacing).
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)]
        passes += [(0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    num_bytes = 0
    for left, top, right, down in passes:
        columns, rows = -((left - width) // right), -((top - height) // down)
        if columns > 0 and rows > 0:
            num_bytes += rows * (1 + (columns * bits + 7) // 8)  # 1: the filter type
    found = len(zlib.decompressobj().decompress(b"".join(chunks[b"IDAT"]), num_bytes))
    if found < num_bytes:
        received = f"one that ends after {found} of {num_bytes} bytes of pixels"
        raise ImageError(path, "a complete PNG file", received, RETRY_FIX)


def only_pixels(data, chunks):
    """The file without its texts, profiles and metadata.

    libpng unpacks 8 MB of each text, of which 7 kB hold one, and prints a warning for
    each colour profile that is invalid.
    """
    if set(chunks) <= set(KEPT):
        return data
    parts = [part for name in KEPT for part in _whole(name, chunks.get(name, []))]
    return b"".join([data[:8], *parts])


def _whole(name, contents):
    for content in contents:
        checksum = zlib.crc32(content, zlib.crc32(name))
        yield from (struct.pack(">I", len(content)), name, content)
        yield struct.pack(">I", checksum)
