"""Faults of files and masks, from facts about samples. Private."""

import collections

import numpy as np

from kerasseg.datasets import _findings_shift
from kerasseg.datasets._finding import FAULT, FEW, WARNING, Finding, count
from kerasseg.images import blurred_colors, mask_kinds
from kerasseg.images.palettes import ids_of_palette

LIKE_OTHERS = "Export them again, like the other masks"


def of_files(facts):
    """Findings about files that cannot be used."""
    broken = [
        (f, f.errors[key])
        for f in facts
        for key in ("image", "mask")
        if key in f.errors
    ]
    if broken:
        first = _reason(*broken[0])
        yield Finding(
            "unreadable",
            FAULT,
            f"{count(broken, 'file')} that cannot be read, such as: {first}",
            [_file(f, error) for f, error in broken],
            "Copy, download or export them again, or leave them out",
        )
    wrong = [f for f in facts if _differ(f)]
    if wrong:
        yield _of_sizes(wrong)
    turned = [f for f in facts if f.orientation in range(2, 9) and not _differ(f)]
    if turned:
        yield Finding(
            "rotated",
            WARNING,
            f"{count(turned, 'image')} rotated by EXIF and read upright, which "
            "their masks must be, too",
            [f.name for f in turned],
            "Look at them in data.png; save them upright to be sure",
        )
    clear = [f for f in facts if f.alpha]
    if clear:
        yield Finding(
            "alpha",
            WARNING,
            f"{count(clear, 'image')} transparent in places; alpha is dropped, and "
            "whatever lies behind is seen",
            [f.name for f in clear],
            "Paint them on a background of your choice",
        )


def _of_sizes(wrong):
    """Finding about masks of another size than their images."""
    # EXIF's 5 to 8 are those that swap height and width.
    swapped = [f for f in wrong if f.size == f.mask_size[::-1] and f.orientation > 4]
    one = wrong[0]
    hint = "Export the masks again at the size of their images"
    if swapped:
        hint = "Turn these masks as EXIF turns their images, or save images upright"
    rotation = f"; {len(swapped)} lack the rotation of EXIF" if swapped else ""
    return Finding(
        "sizes",
        FAULT,
        f"{count(wrong, 'mask')} of another size than their images, such as "
        f"{one.mask_size[1]} x {one.mask_size[0]} for {one.size[1]} x {one.size[0]}"
        f"{rotation}",
        [f.name for f in wrong],
        hint,
    )


def _reason(f, error):
    """The file and what was found in it, of an error about a file."""
    received = error.partition(" Received: ")[2].partition(" Fix: ")[0]
    return f"{_file(f, error)}: {received}" if received else error


def _differ(f):
    return bool(f.size and f.mask_size and tuple(f.size) != tuple(f.mask_size))


def _file(f, error):
    for path in (f.mask, f.image):
        if path is not None and str(path) in error:
            return path.name
    return f.name


def of_masks(facts, ignore_label=255, classes=None):
    """Findings about the numbers in mask files that are read as they are.

    `classes` are the names that the user gives, None where the masks were counted.
    """
    read = [f for f in facts if f.values is not None or f.colors is not None]
    if not read:
        return
    colored = [f for f in read if f.colors is not None]
    noisy = [f for f in read if _is_noisy(f)]
    noisy += _with_steps([f for f in read if f.values is not None and f not in noisy])
    left = [f for f in colored if f not in noisy]
    if left:
        yield _colors(left, len(left) == len(read))
    if noisy:
        yield _blurred(noisy, len(noisy) == len(read))
    lossy = [f for f in read if f.lossy and f not in noisy and f not in left]
    if lossy:
        yield Finding(
            "lossy",
            FAULT,
            f"{count(lossy, 'mask')} compressed with loss (JPEG): ids changed",
            [f.name for f in lossy],
            "Export the masks again as PNG",
        )
    plain = [f for f in read if f.colors is None and f not in noisy and not f.lossy]
    if plain:
        yield from _numbers(plain, ignore_label, classes)


def _is_noisy(f):
    if f.values is None:
        grey = all(max(color) - min(color) <= 64 for color in f.colors)
        if not grey or len(f.colors) < 3:
            return False
        counts = collections.Counter()
        for color, num in f.colors.items():
            counts[round(sum(color) / 3)] += num
    else:
        counts = f.values
    if any(not 0 <= number < 65536 or number % 1 for number in counts):
        return False
    table = np.zeros(65536, np.int64)
    table[[int(number) for number in counts]] = list(counts.values())
    return mask_kinds.is_noisy_black_and_white(table)


def _with_steps(plain):
    """Black and white masks with a few greys at edges, which no other mask has."""
    found = []
    for f in plain:
        between = {n: num for n, num in f.values.items() if n not in (0, 255)}
        total = sum(f.values.values())
        is_edge = len(between) > 2 and sum(between.values()) < 0.2 * total
        counted = set(between) == set(range(1, len(between) + 1))
        both = 0 in f.values and 255 in f.values
        if both and is_edge and not counted and max(between) >= 128:
            found.append((f, between))
    rest = [f for f in plain if all(f is not one for one, _ in found)]
    others = {number for f in rest for number in f.values}
    return [f for f, between in found if not {*between} & others]


def _blurred(noisy, are_all):
    total = between = 0
    for f in noisy:
        counts = f.values or {round(sum(c) / 3): n for c, n in f.colors.items()}
        total += sum(counts.values())
        between += sum(n for number, n in counts.items() if number not in (0, 255))
    lossy = sum(f.lossy for f in noisy)
    why = "saved as JPEG" if lossy else "smoothed or resampled"
    return Finding(
        "blurred",
        FAULT,
        f"{count(noisy, 'mask')} black and white but {why}: {between / total:.1%} "
        "of their pixels are neither 0 nor 255",
        [f.name for f in noisy],
        mask_kinds.to_paste("values", mask_kinds.SPANS) if are_all else LIKE_OTHERS,
    )


def _colors(colored, are_all):
    counts, flat = collections.Counter(), collections.Counter()
    for f in colored:
        counts.update(f.colors)
        flat.update(f.flat)
    if meant := blurred_colors.meant_colors(flat, counts):
        peaks, share = meant
        table = blurred_colors.table_of(peaks)
        return blurred_colors_of(colored, are_all, table, share)
    listed = sorted(counts)
    fix, action = (
        "Export the masks without smoothing or JPEG, or give their colours",
        None,
    )
    if not are_all:
        fix = LIKE_OTHERS
    elif len(listed) <= 32:
        table = ids_of_palette(listed)
        fix, action = mask_kinds.to_paste("colors", table), {"colors": table}
    shown = ", ".join(map(str, listed[:4])) + ", ..." * (len(listed) > 4)
    return Finding(
        "colours",
        FAULT,
        f"{count(colored, 'mask')} with {len(listed)} colours in place of class ids: "
        f"{shown}",
        [f.name for f in colored],
        fix,
        action,
    )


def blurred_colors_of(colored, are_all, table, share):
    """Finding about masks of few colours and many between and around them."""
    why = "saved as JPEG" if any(f.lossy for f in colored) else "smoothed or resampled"
    shown = ", ".join(f"{color}: {class_id}" for color, class_id in table.items())
    fix = "Export them as PNG without smoothing, or let --fix give each pixel the class"
    return Finding(
        "blurred colours",
        FAULT,
        f"{count(colored, 'mask')} of {len(table)} colours but {why}: {share:.1%} of "
        "their pixels lie between the colours",
        [f.name for f in colored],
        f"{fix} of the colour around it, {shown}" if are_all else LIKE_OTHERS,
        {"colors": table} if are_all else None,
    )


def _numbers(plain, ignore_label, classes):
    occurs = collections.Counter(number for f in plain for number in f.values)
    used = set(occurs) - {ignore_label}
    black = [f for f in plain if set(f.values) <= {0, 255} and 255 in f.values]
    others = [f for f in plain if f not in black]
    marked = [f.objects for f in plain]
    if classes is None and mask_kinds.are_objects(marked):
        yield Finding(
            "objects",
            FAULT,
            f"The masks number objects, up to {max(used):g}, not classes",
            [],
            "To find objects: --format mask_folders; to make them one class, "
            + mask_kinds.to_paste("values", {0: 0, "1-65535": 1}),
            {"values": {0: 0, "1-65535": 1}},
        )
        return
    if used <= {0} and not black:
        yield Finding(
            "nothing",
            FAULT,
            "No mask holds anything but the background",
            [],
            "Check that masks are those of the images",
        )
        return
    if black and not any(255 in f.values for f in others):
        yield _black_and_white(black, others)
    slips = list(_findings_shift.of_numbers(others, occurs, used, classes))
    if all(one.severity != FAULT for one in slips):
        slips += _out_of_range(others, occurs, used, classes)
    yield from slips
    grey = mask_kinds.ids_of_grey_levels(occurs, ignore_label)
    if grey and classes is None and not slips and others:
        yield _grey_levels(plain, grey, ignore_label)


def _black_and_white(black, others):
    ids = {n: int(n) for f in others for n in f.values}
    fix, action = LIKE_OTHERS, None  # which of several classes is white?
    if len({*ids} - {0}) < 2:
        ids = dict(sorted(({0: 0, 255: 1} | ids).items()))
        fix, action = mask_kinds.to_paste("values", ids), {"values": ids}
    return Finding(
        "black and white",
        FAULT,
        f"{count(black, 'mask')} of only 0 and 255, and 255 means ignored",
        [f.name for f in black],
        fix,
        action,
    )


def _grey_levels(plain, ids, ignore_label):
    is_ignored = ignore_label in ids
    shown = ", ".join(map(str, ids))
    return Finding(
        "grey levels",
        FAULT,
        f"The masks hold the grey levels {shown}, not class ids 0, 1, 2, ..."
        + f", and {ignore_label} means ignored" * is_ignored,
        [f.name for f in plain],
        mask_kinds.to_paste("values", ids),
        {"values": ids},
    )


def _out_of_range(plain, occurs, used, classes):
    used = sorted(number for number in used if any(number in f.values for f in plain))
    if not used:
        return
    known = None if classes is None else len(classes)
    if known is None:  # numbers behind a gap that few masks have are slips
        most = max(1, FEW * len(plain))
        known = 0
        for number in used:
            if number > known + 1 and occurs[number] <= most and known > 0:
                break
            known = max(known, int(number) + 1)
    beyond = [number for number in used if number >= known or number < 0]
    if beyond:
        owners = [f for f in plain if any(number in f.values for number in beyond)]
        pixels = sum(f.values.get(number, 0) for f in owners for number in beyond)
        shown = ", ".join(f"{number:g}" for number in beyond[:6])
        ids = {n: int(n) for n in used if n not in beyond} | dict.fromkeys(beyond, 255)
        yield Finding(
            "ids",
            FAULT,
            f"{count(owners, 'mask')} with ids that are no class, beyond "
            f"{known - 1}: {shown} ({pixels} pixels)",
            [f.name for f in owners],
            "Correct them, or ignore them: "
            + mask_kinds.to_paste("values", {int(k): v for k, v in ids.items()}),
            {"values": {int(k): v for k, v in ids.items()} | {255: 255}},
        )
