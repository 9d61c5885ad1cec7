"""Files of a few kB that once took minutes or gigabytes, and large honest ones."""

import io
import struct
import zlib

import numpy as np
import tifffile
from PIL import Image

from tests.images.encoding import png_chunk

SIDE = 2000
PIXELS = SIDE * SIDE


def bmp(width, height, codes):
    """Run-length codes of 8 bits, in grey."""
    palette = b"".join(bytes([i, i, i, 0]) for i in range(256))
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, 0, 0, 0, 0, 0)
    begin = 14 + len(head) + len(palette)
    start = struct.pack("<2sIHHI", b"BM", begin + len(codes), 0, 0, begin)
    return start + head + palette + codes


def jpeg(num_scans, side=SIDE):
    """A progressive file whose last scan stands there again and again."""
    stream = io.BytesIO()
    Image.new("RGB", (16, 16)).save(stream, "JPEG", progressive=True)
    data = bytearray(stream.getvalue()[:-2])
    place = data.index(b"\xff\xc2") + 5
    data[place : place + 4] = struct.pack(">HH", side, side)
    last = data[data.rindex(b"\xff\xda") :]
    return bytes(data + last * num_scans + b"\xff\xd9")


def png(bits, color_type, extra=b"", side=SIDE):
    """Black, or without colours."""
    row = 1 + side * bits * {0: 1, 2: 3, 3: 1, 6: 4}[color_type] // 8
    head = struct.pack(">IIBBBBB", side, side, bits, color_type, 0, 0, 0)
    begin = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", head) + extra
    rows = png_chunk(b"IDAT", zlib.compress(bytes(row * side)))
    return begin + rows + png_chunk(b"IEND", b"")


def tags(entries, link=0):
    """A directory of TIFF and EXIF: (tag, type, count, value) each."""
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return struct.pack("<H", len(entries)) + body + struct.pack("<I", link)


def page(**changes):
    """Entries of a grey page of 16 x 16 pixels at byte 8."""
    found = {
        256: 16,
        257: 16,
        258: 8,
        259: 1,
        262: 1,
        273: 8,
        277: 1,
        278: 16,
        279: 256,
    }
    found |= {int(key[1:]): value for key, value in changes.items()}
    return [(key, 4, 1, value) for key, value in found.items()]


def shared_value(num_pages, size=200_000):
    """Pages of 150 bytes, each with a tag of the same 200 kB."""
    begin, data = 8 + size, b""
    for number in range(num_pages):
        entries = [*page(), (50_000, 1, size, 8)]
        step = len(tags(entries))
        link = begin + (number + 1) * step if number < num_pages - 1 else 0
        data += tags(entries, link)
    return struct.pack("<2sHI", b"II", 42, begin) + bytes(size) + data


def metadata(num_tags=20_000, size=200_000):
    """EXIF whose tags are all the same 200 kB."""
    entries = [(1000 + number, 1, size, 8) for number in range(num_tags)]
    return struct.pack("<2sHI", b"II", 42, 8 + size) + bytes(size) + tags(entries)


def same_strips(num_strips=4000, size=100_000):
    """Strips that are all the same 100 kB of PackBits' code for nothing."""
    offsets = struct.pack("<I", 8) * num_strips
    counts = struct.pack("<I", size) * num_strips
    entries = page(_257=num_strips, _259=32773, _278=1)
    at = {273: 8 + size, 279: 8 + size + len(offsets)}
    entries = [
        (key, kind, num_strips, at[key]) if key in at else (key, kind, num, value)
        for key, kind, num, value in entries
    ]
    begin = 8 + size + len(offsets) + len(counts)
    start = struct.pack("<2sHI", b"II", 42, begin)
    return start + b"\x80" * size + offsets + counts + tags(entries)


def large_tile(side=2**15):
    """A tile of JPEG, larger than its picture, that takes 1 GB by itself."""
    raw = zlib.compress(bytes(1000))
    values = page(_259=7, _322=side, _323=side, _324=8, _325=len(raw))
    entries = [entry for entry in values if entry[0] not in (273, 278, 279)]
    return struct.pack("<2sHI", b"II", 42, 8 + len(raw)) + raw + tags(entries)


def tiff(shape, dtype="float32", fill=0, **options):
    stream = io.BytesIO()
    options = {"photometric": "minisblack", **options}
    tifffile.imwrite(stream, np.full(shape, fill, dtype), **options)
    return stream.getvalue()


def lzw(bands):
    stream = io.BytesIO()
    shape = [SIDE, SIDE, bands] if bands > 1 else [SIDE, SIDE]
    picture = Image.fromarray(np.zeros(shape, "uint8"))
    tag = {278: SIDE}  # one strip
    picture.save(stream, "TIFF", compression="tiff_lzw", tiffinfo=tag)
    return stream.getvalue()


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def pillow(kind, mode, **options):
    stream = io.BytesIO()
    Image.new(mode, (SIDE, SIDE)).save(stream, kind, **options)
    return stream.getvalue()


def many_colors():
    """A mask of 4 million colours."""
    codes = np.arange(PIXELS, dtype="<u4").view("u1").reshape(SIDE, SIDE, 4)
    return npy(codes[..., :3])


TEXT = png_chunk(b"zTXt", b"key\0\0" + zlib.compress(bytes(8_000_000), 9))
BANDS = {"planarconfig": "contig"}
# Name -> (bytes, whether it must be refused).
FILES = {
    "bmp_line": lambda: (bmp(PIXELS // 2, 2, b"\1\0\0\0\0\1"), True),
    "bmp_full_line": lambda: (bmp(255 * 100, 1, b"\xff\1" * 100), False),
    "bmp_ends": lambda: (bmp(1, PIXELS, b"\0\0" * PIXELS), False),
    "bmp_steps": lambda: (bmp(SIDE, SIDE, b"\0\2\0\0" * 99), True),
    "jpeg_scans": lambda: (jpeg(2000), True),
    "jpeg_few_scans": lambda: (jpeg(4), False),
    "png_texts": lambda: (png(8, 2, TEXT * 100, side=100), False),
    "png_exif": lambda: (png(8, 2, png_chunk(b"eXIf", metadata()), side=100), False),
    "webp_exif": lambda: (pillow("WebP", "RGB", exif=metadata()), False),
    "png_rgba16": lambda: (png(16, 6), False),
    "png_grey16": lambda: (png(16, 0), False),
    "png_palette": lambda: (png(8, 3, png_chunk(b"PLTE", bytes(768))), False),
    "png_bits": lambda: (png(1, 0), False),
    "gif": lambda: (pillow("GIF", "P"), False),
    "webp": lambda: (pillow("WebP", "RGBA", lossless=True), False),
    "pages": lambda: (shared_value(2000), True),
    "page_values": lambda: (shared_value(1, 2000), False),
    "strips": lambda: (same_strips(), True),
    "tile": lambda: (large_tile(), True),
    "pnm_comments": lambda: (b"P3 2 2 255\n" + b"#\n" * 10**6 + b"7 " * 12, False),
    "pnm_comment": lambda: (b"P5 #" + b"x" * 10**7 + b"\n2 2 255\n" + bytes(4), True),
    "png_chunks": lambda: (png(8, 2, png_chunk(b"IDAT", b"") * 900_000), True),
    "float": lambda: (tiff([SIDE, SIDE]), False),
    "float64": lambda: (tiff([SIDE, SIDE, 2], "float64", **BANDS), False),
    "int32": lambda: (tiff([SIDE, SIDE, 4], "int32", **BANDS), False),
    "bands": lambda: (tiff([SIDE, SIDE, 4], **BANDS), False),
    "alpha": lambda: (tiff([SIDE, SIDE, 4], extrasamples=[0, 0, 1], **BANDS), False),
    "planes": lambda: (tiff([4, SIDE, SIDE], planarconfig="separate"), False),
    "turned": lambda: (
        tiff([SIDE, SIDE, 4], extratags=[(274, 3, 1, 6, True)], **BANDS),
        False,
    ),
    "deflate": lambda: (tiff([SIDE, SIDE, 4], compression="zlib", **BANDS), False),
    "lzw": lambda: (lzw(3), False),
    "packbits": lambda: (pillow("TIFF", "L", compression="packbits"), False),
    "swapped": lambda: (npy(np.zeros([SIDE, SIDE, 4], ">f4")), False),
    "fortran": lambda: (npy(np.zeros([SIDE, SIDE, 4], "f4", order="F")), False),
    "colors": lambda: (many_colors(), False),
}
