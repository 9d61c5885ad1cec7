"""Axes from page to page of a TIFF file, as its description gives them.

tifffile reads these descriptions, too, but opens other files that they name, and makes
lists of any length that they claim.
"""

import json
import re

MAX_TEXT = 2**23  # characters of OME's XML, some 300 for a plane
_WHOLE = re.compile(r"\d{1,9}")


def sizes_of(text, num_samples):
    """Sizes of the axes that pages follow each other in.

    Args:
        text: description of the first page.
        num_samples: bands inside each page.

    Returns:
        dict from axis, "T", "Z" or "C", to size, the slowest first; empty if the text
        says nothing, None if it says what is not true of the pages in their order.

    Example:
        >>> sizes_of("ImageJ=1.54\\nimages=6\\nchannels=2\\nslices=3\\n", 1)
        {'T': 1, 'Z': 3, 'C': 2}
    """
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        return {}
    if text.startswith("ImageJ="):
        return _of_imagej(text)
    if text.startswith('{"shape":'):
        return _of_tifffile(text)
    return _of_ome(text, num_samples) if text.rstrip().endswith("OME>") else {}


def _of_imagej(text):
    found = dict(line.partition("=")[::2] for line in text.splitlines())
    keys = {"T": "frames", "Z": "slices", "C": "channels"}
    return _whole({axis: found.get(key, "1") for axis, key in keys.items()})


def _of_tifffile(text):
    try:
        found = json.loads(text)
        shape, axes = found["shape"], found["axes"]
        rows = axes.index("Y")
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return {}
    if not isinstance(shape, list) or len(shape) != len(axes):
        return {}
    return _whole(dict(zip(axes[:rows], map(str, shape))))


def _of_ome(text, num_samples):
    parts = re.findall(r"<(?:\w+:)?Pixels\b([^>]*)>", text)
    if len(parts) != 1:  # several pictures
        return None
    found = _attributes(parts[0])
    order = found.get("DimensionOrder", "")[:1:-1]  # after X and Y, the fastest last
    sizes = _whole({axis: found.get(f"Size{axis}", "") for axis in order})
    if sorted(sizes) != ["C", "T", "Z"] or sizes["C"] % num_samples:
        return None
    sizes["C"] //= num_samples
    planes = re.findall(r"<(?:\w+:)?TiffData\b([^>]*?)/?>", text)
    names = set(re.findall(r"<(?:\w+:)?UUID\b[^<>]*FileName=\"([^\"]*)\"", text))
    in_order = all(_is_in_order(_attributes(plane), sizes) for plane in planes)
    return sizes if in_order and len(names) <= 1 else None


def _is_in_order(plane, sizes):
    """Whether an element says of a page what its number says."""
    first = _whole({axis: plane.get(f"First{axis}", "0") for axis in sizes})
    number = _whole({"IFD": plane.get("IFD", "0")})
    if not first or not number:
        return False
    position = 0
    for axis, size in sizes.items():
        position = position * size + first[axis]
    return position == number["IFD"]


def _attributes(text):
    # From the beginning of a word alone: time by the square of its length otherwise.
    return dict(re.findall(r"\b(\w+)\s*=\s*\"([^\"]*)\"", text))


def _whole(found):
    """The numbers of a dict of texts; {} if one is none."""
    if not all(_WHOLE.fullmatch(value) for value in found.values()):
        return {}
    return {axis: int(value) for axis, value in found.items()}
