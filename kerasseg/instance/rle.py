"""COCO run-length encoding (RLE) of masks (numpy, pycocotools).

A code is a dict of `size` [height, width] and `counts`, the lengths of alternating runs
of 0 and 1 in column-major order, beginning with 0: a list, or a compressed string.
pycocotools crashes or returns garbage on invalid codes; here they are validated first.
"""

import numpy as np
from pycocotools import mask as coco

MAX_PIXELS = 178_956_970  # as for image files, see kerasseg.images


def encode_rle(mask):
    """Encode one mask.

    Args:
        mask: bool or integers [H, W]; non-zero pixels are inside.

    Returns:
        JSON-able dict of `size` [H, W] and `counts`, a compressed string.

    Raises:
        ValueError: if the mask is not [H, W], or has no pixel.

    Example:
        >>> encode_rle(np.array([[0, 1], [0, 1]]))
        {'size': [2, 2], 'counts': '22'}
    """
    mask = np.asarray(mask)
    if mask.ndim != 2 or not mask.size:
        raise ValueError(
            f"`mask` must be [H, W] with pixels. Received: shape={mask.shape}."
        )
    code = coco.encode(np.asfortranarray(mask != 0, dtype="uint8"))
    return {"size": list(mask.shape), "counts": code["counts"].decode("ascii")}


def decode_rle(code, *, size=None):
    """Decode one mask.

    Args:
        code: dict of `size` and `counts`; counts are a list, a string or bytes.
        size: (height, width) of the image, which the code must have; None for any.

    Returns:
        bool [H, W].

    Raises:
        ValueError: if the code is malformed, its counts do not sum to its size, or it
            is larger than about 179 million pixels.

    Example:
        >>> decode_rle({"size": [2, 2], "counts": [2, 1, 1]}).tolist()
        [[False, True], [False, False]]
    """
    counts, height, width = _counts_of(code, size)
    runs = np.arange(len(counts)) % 2 == 1
    return np.repeat(runs, counts).reshape(width, height).T  # column-major


def check_rle(code, *, size=None):
    """Raise the errors of `decode_rle`, without its mask: a tenth of the time."""
    _counts_of(code, size)


def _counts_of(code, size):
    height, width = _check_size(code, size)
    counts = code.get("counts")
    if isinstance(counts, (str, bytes)):
        counts = _unpack_counts(counts)
    counts = np.asarray(counts)
    whole = counts.ndim == 1 and counts.dtype.kind in "iu"
    # Python integers: a sum of int64 could wrap around to the required one.
    if not whole or any(count < 0 for count in counts.tolist()):
        raise ValueError(f"`counts` must be integers >= 0. Received: {_short(counts)}.")
    if sum(counts.tolist()) != height * width:
        raise ValueError(
            f"`counts` must add up to height * width = {height * width}. "
            f"Received: {sum(counts.tolist())}."
        )
    return counts, height, width


def _check_size(code, expected):
    size = code.get("size") if isinstance(code, dict) else None
    whole = isinstance(size, (list, tuple)) and len(size) == 2
    whole = whole and all(
        isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in size
    )
    if not whole or min(size) < 1 or int(size[0]) * int(size[1]) > MAX_PIXELS:
        raise ValueError(
            "A run-length code must have `size` [height, width], at least 1 x 1 and at "
            f"most {MAX_PIXELS} pixels. Received: {_short(size)}."
        )
    if expected is not None and tuple(size) != tuple(expected):
        raise ValueError(
            f"`size` must be that of the image, {list(expected)}. Received: {size}."
        )
    return int(size[0]), int(size[1])


def _unpack_counts(counts):
    """Counts of a compressed string, the LEB128-like code of pycocotools.

    A number takes one or more characters of value 48 + five bits, low bits first, + 32
    if another one follows; bit 16 of the last one is the sign. From the fourth number
    on, the difference to the number two places before is stored.
    """
    text = counts.encode("latin-1", "replace") if isinstance(counts, str) else counts
    codes = np.frombuffer(text, "uint8").astype("int64") - 48
    more = (codes & 32) > 0
    bad = codes.size and (codes.min() < 0 or codes.max() > 63 or more[-1])
    ends = np.flatnonzero(~more)
    lengths = np.diff(ends, prepend=-1)
    if bad or (lengths > 7).any():  # 35 bits: enough for MAX_PIXELS, no overflow
        raise ValueError(f"`counts` is no packed code. Received: {_short(counts)}.")
    starts = ends - lengths + 1
    place = np.arange(codes.size) - np.repeat(starts, lengths)
    values = (
        np.add.reduceat((codes & 31) << (5 * place), starts) if ends.size else codes
    )
    values -= ((codes[ends] & 16) > 0) * (np.int64(1) << (5 * lengths))
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values


def _short(value):
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
