"""PNM files as Pillow reads them in time of their length."""

import re

MAX_HEADER_BYTES = 2**16
_SPACE = rb"(?:\s|#[^\r\n]*[\r\n])+"
# Width, height and, but for single bits, the largest number.
_HEADERS = {
    number: re.compile(rb"P\d" + (_SPACE + rb"\d+") * (2 if number in b"14" else 3))
    for number in (b"1", b"2", b"3", b"4", b"5", b"6")
}
_COMMENT = re.compile(rb"#[^\r\n]*[\r\n]?")
TEXT = (b"P1", b"P2", b"P3")


def without_comments(data):
    """The file without the comments between its numbers, where these are text.

    Pillow 12 takes them out one by one, and copies what follows each time.

    Args:
        data: bytes of the file.

    Raises:
        ValueError: if it has no header of at most 64 kB.
    """
    if not _HEADERS[data[1:2]].match(data[:MAX_HEADER_BYTES]):
        raise ValueError(f"no sizes in the first {MAX_HEADER_BYTES} bytes")
    return _COMMENT.sub(b"", data) if data[:2] in TEXT else data
