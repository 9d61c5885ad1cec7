"""Limits of TIFF files, checked before their tags are parsed.

Parsers keep the values of all tags of all pages, and pages of a few bytes may share one
large value: a file of 3 MB took 8 GB.
"""

import struct

COMPRESSION, NEW_SUBFILE_TYPE = 259, 254  # tags
LOSSY = (6, 7, 34712, 34887, 50001)  # JPEG, old and new, JPEG 2000, LERC, WebP
MAX_PAGES = 16_384
MAX_NUMBERS = 2**22  # in tags, each a Python object: offsets of strips, for most
# Bytes of one value by its type; 1, 2, 6 and 7 are bytes and text.
_SIZES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}


def check_tags(data):
    """Refuse a chain of pages that claims more than a file of this length holds.

    Args:
        data: bytes of the file, or what gives them when it is sliced.

    Returns:
        Set of the compressions of its pages, without overviews and masks.

    Raises:
        ValueError: says what it claims.
        struct.error: if the file ends in a page.
    """
    order = "<" if data[:2] == b"II" else ">"
    is_big = struct.unpack(f"{order}H", data[2:4]) == (43,)
    head, tag, link = ("Q", "HHQQ", "Q") if is_big else ("H", "HHII", "I")
    (offset,) = _number(order + link, data, 8 if is_big else 4)
    seen, compressions, num_bytes, num_values = set(), set(), 0, 0
    while offset:
        if offset in seen:  # tifffile would follow it for ever
            raise ValueError("pages whose chain leads in a circle")
        seen.add(offset)
        (num,) = _number(order + head, data, offset)
        begin = offset + struct.calcsize(order + head)
        end = begin + num * struct.calcsize(order + tag)
        if end > len(data):
            raise ValueError(f"a page of {num} tags")
        entries = struct.iter_unpack(order + tag, data[begin:end])
        found = {COMPRESSION: 1, NEW_SUBFILE_TYPE: 0}
        for name, kind, count, value in entries:
            if name in found:  # a short number stands at the beginning of its place
                shift = 8 * (struct.calcsize(order + tag[-1]) - _SIZES.get(kind, 1))
                found[name] = value >> shift if order == ">" else value
            num_bytes += 16 + count * _SIZES.get(kind, 1)
            num_values += count * (kind in _SIZES)
        # Writers share a value between pages at most.
        if (
            len(seen) > MAX_PAGES
            or num_bytes > 2 * len(data) + 2**20
            or num_values > MAX_NUMBERS
        ):
            raise ValueError(
                f"{len(seen)} pages or more, whose tags claim {num_bytes} bytes and "
                f"{num_values} numbers"
            )
        if not is_extra(found[NEW_SUBFILE_TYPE]):
            compressions.add(found[COMPRESSION])
        (offset,) = _number(order + link, data, end)
    return compressions


def _number(form, data, place):
    return struct.unpack(form, data[place : place + struct.calcsize(form)])


def is_extra(kind):
    """Whether a page, by its tag NewSubfileType, is a reduced copy or a mask."""
    return bool(kind & (1 | 4))


def is_lossy(data):
    """Whether a page of a TIFF file is compressed by what changes its numbers."""
    return not check_tags(data).isdisjoint(LOSSY)
