"""Conversion of the stored numbers or colours of a mask to class ids."""

import collections
import itertools
import numbers
import re
from collections.abc import Mapping

import cv2
import numpy as np

from kerasseg.images import blurred_colors
from kerasseg.images.content import ImageError
from kerasseg.images.mask_kinds import (
    SPANS,
    is_noisy_black_and_white,
    is_one_hot,
    to_paste,
)
from kerasseg.images.palettes import ids_of_palette

MAX_LISTED = 50_000  # numbers or colours that are no ids; after them, counting stops


def merge_equal_channels(path, pixels):
    """One channel [H, W] of [H, W, 3] whose channels are equal.

    Raises:
        ImageError: if they differ; lists the colours.
    """
    if is_one_hot(pixels):
        raise ImageError(
            path,
            "one channel of class ids",
            f"{pixels.shape[2]} bands, one-hot: each pixel is in one of them",
            "Save numpy.argmax(mask, 2)",
        )
    if pixels.shape[2] != 3:
        raise ImageError(
            path,
            "one channel of class ids",
            f"{pixels.shape[2]} bands",
            "Save the band of the class ids as a file of its own",
        )
    # Many tools save grey masks in three channels.
    if all((part[..., :1] == part[..., 1:]).all() for part in row_blocks(pixels)):
        return np.ascontiguousarray(pixels[..., 0])
    found = _colors_of(pixels)
    listed = ", ".join(str(tuple(color)) for color in found[:8].tolist())
    num = f"{len(found)}{' or more' * (len(found) >= MAX_LISTED)}"
    raise ImageError(
        path,
        "one channel of class ids",
        f"{num} colours: {listed}{', ...' * (len(found) > 8)}",
        blurred_fix(pixels)
        or f"Say which colour is which class: {_colors_to_paste(pixels, found)}",
    )


def row_blocks(pixels):
    """Parts of some rows, of 4 million numbers or one row: views of the array.

    NumPy's temporary arrays of a whole picture need several times its memory.
    """
    step = max(1, 2**22 // max(pixels[:1].size, 1))
    return (pixels[first : first + step] for first in range(0, len(pixels), step))


def _colors_of(pixels):
    """The different colours [K, 3] of [H, W, 3], MAX_LISTED or a few more at most."""
    found = np.empty([0, 3], pixels.dtype)
    for part in row_blocks(pixels):
        # One number per colour: `np.unique` of rows takes seconds. float64 is exact for
        # three 16-bit channels.
        part = np.concatenate([found, part.reshape(-1, 3)])
        codes = part[:, 0] * 2.0**32 + part[:, 1] * 2.0**16 + part[:, 2]
        _, first = np.unique(codes, return_index=True)
        found = part[first]
        if len(found) >= MAX_LISTED:
            break
    return found


def _colors_to_paste(pixels, found):
    """`colors` for the most frequent colours; black is 0."""
    grey = nearly_grey(pixels)
    if grey is not None and is_noisy_black_and_white(_counts(grey)):
        return to_paste("values", SPANS) + ", for they look black and white"
    if len(found) > 32:
        listed = "{(0, 0, 0): 0, (255, 0, 0): 1}"
        return f"colors={listed}, or export the masks without smoothing or JPEG"
    return to_paste("colors", ids_of_palette(map(tuple, found.tolist())))


def blurred_fix(pixels):
    """Advice about a mask of few colours that was smoothed or is JPEG; or None."""
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        return None
    flat, counts = (
        count(pixels)
        for count in (blurred_colors.flat_colors, blurred_colors.count_colors)
    )
    meant = blurred_colors.meant_colors(flat, counts)
    if meant is None:
        return None
    colors, share = meant
    listed = ", ".join(map(str, colors[:8])) + ", ..." * (len(colors) > 8)
    return (
        f"These are {len(colors)} colours that were smoothed or saved as JPEG: "
        f"{listed}; {share:.1%} of the pixels lie between. Export them as PNG, or let "
        "`kerasseg check-data --data FOLDER --fix OUT` make them sharp"
    )


def as_class_ids(path, pixels):
    """Stored numbers as int32 class ids.

    Raises:
        ImageError: if they are negative, fractional, not finite, or 2^31 or more.
    """
    if pixels.dtype in (np.uint8, np.uint16):
        return pixels.astype(np.int32)
    for part in row_blocks(pixels):
        # NaN fails the comparisons as well.
        if not ((part >= 0) & (part < 2**31) & (part == np.floor(part))).all():
            low, high = pixels.min(), pixels.max()
            raise ImageError(
                path,
                "whole numbers from 0 as class ids",
                f"{pixels.dtype} from {low:.6g} to {high:.6g}",
                "Save the ids as 8-bit or 16-bit PNG" + _fix_of_numbers(pixels),
            )
    return pixels.astype(np.int32)


def _fix_of_numbers(pixels):
    if not np.isfinite(pixels).all():
        return ", 255 where there is none: numpy.nan_to_num(mask, nan=255)"
    if (pixels == np.floor(pixels)).all():
        return ", or map them: " + to_paste("values", {-1: 255, 0: 0})
    is_share = pixels.max() <= 1
    return ", of probabilities (mask > 0.5).astype('uint8')" if is_share else ""


def ids_of_values(path, pixels, values):
    """Class ids int32 [H, W] of stored numbers; `values` as in `read_mask`.

    Raises:
        ImageError: if a number is not in `values`; lists the most frequent ones.
        ValueError: if `values` is malformed.
    """
    ranges = _value_ranges(values)

    def look_up(runs):
        ids, known = np.zeros(runs.shape, np.int32), np.zeros(runs.shape, bool)
        for low, high, class_id in ranges:
            inside = (runs >= low) & (runs <= high)
            ids[inside] = class_id
            known |= inside
        return ids, known

    ids, unknown = _looked_up(pixels, look_up)
    if unknown:
        raise ImageError(
            path,
            f"only the numbers in values={dict(values)}",
            _most_frequent(unknown, str),
            _fix_of_values(pixels),
        )
    return ids


def _fix_of_values(pixels):
    if pixels.dtype == np.uint8 and is_noisy_black_and_white(_counts(pixels)):
        spans = to_paste("values", SPANS)
        return f"These look like noise around black and white: {spans}"
    return "Add them to `values`, with 255 for pixels to ignore"


def _counts(pixels):
    return np.bincount(pixels.ravel(), minlength=256)


def nearly_grey(pixels):
    """Grey levels [H, W] of [H, W, 3] uint8 whose channels nearly agree, or None."""
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        return None
    spread = pixels.max(2) - pixels.min(2)  # JPEG's colours differ a little
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) if spread.max() <= 64 else None


def check_maps(*, colors=None, values=None):
    """Raise the ValueErrors of `read_mask` about `colors` and `values` before it."""
    if colors is not None:
        _color_table(colors)
    if values is not None:
        _value_ranges(values)


def _is_id(number):
    whole = isinstance(number, numbers.Integral)
    whole = whole or (isinstance(number, float) and number.is_integer())
    return whole and 0 <= number < 2**31


def _value_ranges(values):
    if not isinstance(values, Mapping) or not values:
        raise ValueError(
            "`values` must map numbers in the file to class ids: {0: 0, 255: 1}. "
            f"Received: values={values!r}."
        )
    ranges = []
    for key, class_id in values.items():
        match = re.fullmatch(r"(-?\d+)(?:-(-?\d+))?", str(key))
        if not match:
            raise ValueError(
                '`values` must have keys like 255 or "128-255". '
                f"Received: {key!r} in values={values!r}."
            )
        low, high = int(match[1]), int(match[2] or match[1])
        if not _is_id(class_id):
            raise ValueError(
                "`values` must give class ids, whole numbers from 0. "
                f"Received: {class_id!r} in values={values!r}."
            )
        ranges.append((low, high, int(class_id)))
    ranges.sort()
    for (_, end, _), (start, _, _) in itertools.pairwise(ranges):
        if start <= end:
            raise ValueError(
                f"`values` must not contain a number twice. Received: {start} twice in "
                f"values={values!r}."
            )
    return ranges


def ids_of_colors(path, pixels, colors):
    """Class ids int32 [H, W] of colours; `colors` as in `read_mask`.

    Raises:
        ImageError: if a colour is not in `colors`; lists the most frequent ones.
        ValueError: if `colors` is malformed.
    """
    codes, ids = _color_table(colors)
    if pixels.dtype != np.uint8:
        raise ImageError(
            path, "8-bit colours", f"{pixels.dtype}", "Save the mask with 8 bits"
        )
    conversion = cv2.COLOR_GRAY2RGBA if pixels.ndim == 2 else cv2.COLOR_RGB2RGBA
    # RGBA seen as one 32-bit number per colour, red in the low byte.
    pixels = cv2.cvtColor(pixels, conversion).view("<u4")[..., 0]

    def look_up(runs):
        positions = np.minimum(np.searchsorted(codes, runs), len(codes) - 1)
        return ids[positions], codes[positions] == runs

    found, unknown = _looked_up(pixels, look_up)
    if unknown:
        raise ImageError(
            path,
            f"only the {len(codes)} colours in `colors`",
            _most_frequent(unknown, _color_name),
            "Add them to `colors`, with 255 for pixels to ignore; many in-between "
            "colours come from smoothing or JPEG: export the masks without, or let "
            "`kerasseg check-data --data FOLDER --fix OUT` make them sharp",
        )
    return found


def color_of(key):
    """(r, g, b) of a key of `colors`: three numbers, or "r,g,b" or "#rrggbb".

    Raises:
        ValueError: if it is none.
    """
    if isinstance(key, str):
        if re.fullmatch("#[0-9a-fA-F]{6}", key):
            return tuple(bytes.fromhex(key[1:]))
        key = key.strip("()[] ").split(",")
    red, green, blue = map(int, key)
    return red, green, blue


def _color_code(color):
    return int.from_bytes((*color, 255), "little")


def _color_name(code):
    return str(tuple(code.to_bytes(4, "little")[:3]))


def _looked_up(pixels, look_up):
    """Class ids of stored numbers.

    Masks are long runs of few values, and looking up each run once is ten times as fast
    as each pixel.

    Args:
        pixels: numbers [H, W].
        look_up: function of numbers [N] -> (ids [N], bool [N] whether they are known).

    Returns:
        (int32 [H, W], Counter of the pixels of each unknown number).
    """
    found, unknown = np.empty(pixels.shape, np.int32), collections.Counter()
    for target, part in zip(row_blocks(found), row_blocks(pixels)):
        flat = part.ravel()
        starts = np.flatnonzero(flat[1:] != flat[:-1]) + 1
        starts = np.concatenate([[0], starts])
        runs, lengths = flat[starts], np.diff(starts, append=flat.size)
        ids, known = look_up(runs)
        target[...] = np.repeat(ids, lengths).reshape(part.shape)
        if not known.all():
            numbers, where = np.unique(runs[~known], return_inverse=True)
            counts = np.bincount(where, lengths[~known]).astype(int)
            unknown.update(dict(zip(numbers.tolist(), counts.tolist())))
            if len(unknown) >= MAX_LISTED:  # enough to say what is wrong
                break
    return found, unknown


def _color_table(colors):
    try:
        pairs = (
            list(colors.items())
            if isinstance(colors, Mapping)
            else [(color, class_id) for class_id, color in enumerate(colors)]
        )
        table = {color_of(color): int(i) for color, i in pairs if _is_id(i)}
    except (TypeError, ValueError):
        pairs, table = [], {}
    in_range = all(0 <= value <= 255 for color in table for value in color)
    if not table or not in_range or len(table) != len(pairs):
        raise ValueError(
            "`colors` must map different (r, g, b), each 0..255, to class ids from 0. "
            f"Received: colors={colors!r}."
        )
    codes = sorted((_color_code(color), class_id) for color, class_id in table.items())
    return (
        np.array([code for code, _ in codes], np.uint32),
        np.array([class_id for _, class_id in codes], np.int32),
    )


def _most_frequent(counts, name):
    """The five most frequent values as text: "7 (120 pixels), 9 (3 pixels)"."""
    # Of equally frequent ones the largest first, as ever.
    found = sorted(counts.items(), key=lambda item: item[::-1], reverse=True)
    listed = ", ".join(f"{name(value)} ({num} pixels)" for value, num in found[:5])
    return listed + (f" and {len(found) - 5} more" if len(found) > 5 else "")
