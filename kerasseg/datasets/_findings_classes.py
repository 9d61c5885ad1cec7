"""Faults of images and classes, from facts about samples. Private."""

import collections

import numpy as np

from kerasseg.datasets import _near
from kerasseg.datasets._finding import FAULT, NOTE, WARNING, Finding, count
from kerasseg.images import values

RARE_PIXELS, RARE_IMAGES = 0.001, 3
OUTLIER = 6.0  # robust deviations
FEW = 0.1  # share of images that may be outliers; more are another kind of pictures
SMALL_PX = 8  # side of objects that a network with stride 8 or more can hardly see
SPECKS = 0.1  # share of the pixels of regions; below, small ones are noise
EMPTY = 0.95  # share of images without foreground that is worth a word


def _gain(known):
    """Function of facts: how much brighter an image of 10 to 14 bits in 16 is shown."""
    highest = max((f.high for f in known if f.dtype == "uint16"), default=0)
    dim = 65535 / highest if 0 < highest < values.DIM else 1
    return lambda f: dim if f.dtype == "uint16" else 1


def of_images(facts, value_range=None):
    """Findings about the numbers, sizes and bands of images."""
    known = [f for f in facts if f.size]
    bands = collections.Counter(f.channels for f in known)
    if len(bands) > 1 and not {*bands} <= {1, 3}:
        usual = bands.most_common(1)[0][0]
        odd = [f for f in known if f.channels != usual]
        yield Finding(
            "bands",
            FAULT,
            f"{count(odd, 'image')} with other numbers of bands than {usual}: "
            f"{', '.join(str(n) for n in sorted(bands) if n != usual)}",
            [f.name for f in odd],
            "Save all with the same bands",
        )
    yield from _ranges(known, value_range)
    gain = _gain(known)
    blank = [
        f for f in known if f.contrast is not None and f.contrast * gain(f) < 0.004
    ]
    if blank:
        yield Finding(
            "blank",
            WARNING,
            f"{count(blank, 'image')} of one brightness all over",
            [f.name for f in blank],
            "Leave them out if they are failures",
        )
    rest = [f for f in known if f not in blank]
    shown = [f.brightness * gain(f) for f in rest]
    odd = _outliers(rest, shown, 0.15)
    if odd:
        middle = np.median(shown)
        ends = {
            f"{pick(f.brightness * gain(f) for f in odd):.0%}" for pick in (min, max)
        }
        yield Finding(
            "brightness",
            WARNING,
            f"{count(odd, 'image')} much brighter or darker than the others (mean "
            f"{' to '.join(sorted(ends))} of white, usually {middle:.0%})",
            [f.name for f in odd],
            "Look at them in data.png",
        )
    yield from _sizes(rest)


def _sizes(facts):
    odd = _outliers(facts, [np.log2(f.size[0] * f.size[1]) for f in facts], 3)
    if odd:
        one = max(odd, key=lambda f: f.size[0] * f.size[1])
        yield Finding(
            "image sizes",
            WARNING,
            f"{count(odd, 'image')} over eight times larger or smaller than the "
            f"others, such as {one.size[1]} x {one.size[0]}",
            [f.name for f in odd],
            "Objects in them have another size; resample them, or leave them out",
        )


def _outliers(facts, numbers, least):
    """Facts of few samples whose number is far from the median of all."""
    if len(facts) < 8:
        return []
    numbers = np.asarray(numbers, float)
    away = np.abs(numbers - np.median(numbers))
    spread = max(1.4826 * np.median(away), 1e-9)
    far = (away > OUTLIER * spread) & (away > least)
    if far.mean() > FEW:  # a second kind of pictures, no outliers
        return []
    return [f for f, is_far in zip(facts, far) if is_far]


def _ranges(known, given):
    by_dtype = collections.defaultdict(list)
    for f in known:
        by_dtype[f.dtype].append(f)
    if len(by_dtype) > 1:
        few = min(by_dtype.values(), key=len)
        counts = ", ".join(f"{len(some)} {name}" for name, some in by_dtype.items())
        yield Finding(
            "number formats",
            WARNING,
            f"Images differ in their number format: {counts}",
            [f.name for f in few],
            "Each is scaled by its own range; save all alike",
        )
    for dtype, some in by_dtype.items():
        low, high = min(f.low for f in some), max(f.high for f in some)
        try:
            black, white = values.range_from_extent(dtype, low, high, True, given)
        except ValueError as error:
            yield Finding(
                "value range",
                FAULT,
                f"{count(some, 'image')} of {dtype} within {low:g}..{high:g}, which "
                "does not say what is black and white",
                [f.name for f in some],
                str(error).rpartition("Fix: ")[2].strip(),
                {"value_range": values.likely_range(low, high)},
            )
            continue
        if black < high < black + (white - black) / values.DARK:
            yield Finding(
                "dark",
                WARNING,
                f"All images of {dtype} are dark: up to {high:g} of {white:g}",
                [f.name for f in some],
                "If that is white, say so by `value_range`",
            )


def of_duplicates(facts):
    """Findings about pictures that show the same."""
    found = _near.pairs([f.signature for f in facts])
    across = [(i, j, c) for i, j, c in found if facts[i].side != facts[j].side]
    same = [(i, j) for i, j, c in across if c >= _near.SAME]
    near = [(i, j) for i, j, c in across if c < _near.SAME]

    def names(pairs):
        return [f"{facts[i].name} = {facts[j].name}" for i, j in pairs]

    if same:
        linked = collections.Counter(_near.groups(len(facts), found))
        all_alike = max(linked.values()) > len(facts) / 2  # no split could help
        yield Finding(
            "leaks",
            WARNING if all_alike else FAULT,
            f"{count(same, 'pair')} of train and val with the same picture, so that "
            "scores flatter",
            names(same),
            "Move them to one side, or give --group",
        )
    if near:
        yield Finding(
            "near leaks",
            WARNING,
            f"{count(near, 'pair')} of train and val that look nearly alike (a film?)",
            names(near),
            "Keep films, patients or objects on one side: --group PATTERN, or lists",
        )
    inside = [(i, j) for i, j, c in found if facts[i].side == facts[j].side]
    if inside:
        linked = _near.groups(len(facts), inside)
        groups = [n for n in collections.Counter(linked).values() if n > 1]
        yield Finding(
            "duplicates",
            NOTE,
            f"{sum(groups)} images in {count(groups, 'group')} are near duplicates of "
            "others on their side",
            names(inside),
            "They count as often as they are there",
        )


def of_classes(facts, classes, ignore_label=255):
    """Findings about classes and objects."""
    known = [f for f in facts if f.label is not None]
    if not known:
        return
    pixels = np.zeros(len(classes), np.int64)
    images = {side: np.zeros(len(classes), int) for side in ("train", "val")}
    for f in known:
        for class_id, num in f.label.items():
            if 0 <= class_id < len(classes) and class_id != ignore_label:
                pixels[class_id] += num
                images[f.side][class_id] += 1
    yield from _shares(classes, pixels, images["train"] + images["val"])
    yield from _sides(classes, images)
    yield from _objects(known)
    yield from _background(known, classes, ignore_label)


def _shares(classes, pixels, images):
    """Classes that never occur, or hardly ever."""
    total = max(int(pixels.sum()), 1)
    first = 1 if classes[0] == "background" and not pixels[0] else 0
    absent = [name for name, num in list(zip(classes, pixels))[first:] if not num]
    if absent and len(absent) < len(classes):
        yield Finding(
            "empty classes",
            WARNING,
            f"{len(absent)} of {len(classes)} classes never occur",
            absent,
            "Correct the list of classes, or add images of them",
        )
    rare = [
        f"{name} ({num / total:.2%}, {times} images)"
        for name, num, times in zip(classes, pixels, images)
        if num and (num < RARE_PIXELS * total or times < RARE_IMAGES)
    ]
    if rare:
        yield Finding(
            "rare classes",
            WARNING,
            f"{count(rare, 'class')} rare",
            rare,
            "Add images of them, or weights",
        )


def _sides(classes, images):
    """Classes that occur on one side of the split only."""
    for side, other, cost in (("train", "val", "learned"), ("val", "train", "scored")):
        here = [
            name
            for name, num, there in zip(classes, images[side], images[other])
            if there and not num
        ]
        if here and images[side].any():
            yield Finding(
                "classes of one side",
                WARNING,
                f"{count(here, 'class')} of {other} never occur in {side}",
                here,
                f"Divide the data anew, or they are not {cost}",
            )


def _background(known, classes, ignore_label):
    """Images that hold nothing but the background."""
    empty = [f for f in known if not any(i > 0 and i != ignore_label for i in f.label)]
    if (
        len(classes) > 1
        and len(empty) == len(known)
        and classes[0] in ("background", "class 0")
    ):
        yield Finding(
            "nothing",
            FAULT,
            "No image holds anything but the background",
            [],
            "Check that masks or annotations are those of the images",
        )
    elif empty and len(empty) < len(known):
        severity = WARNING if len(empty) > EMPTY * len(known) else NOTE
        yield Finding(
            "empty",
            severity,
            f"{len(empty)} of {len(known)} images hold only the background",
            [f.name for f in empty],
        )


def _objects(known):
    areas = [f.areas for f in known if f.areas is not None and len(f.areas)]
    if not areas:
        return
    pixels = np.concatenate(areas)
    sides = np.sqrt(pixels)
    small = float((sides < SMALL_PX).mean())
    # Maps of classes have specks at their edges: many regions of few pixels.
    are_regions = all(f.touching is None for f in known)
    share = pixels[sides < SMALL_PX].sum() / pixels.sum()
    are_specks = are_regions and share < SPECKS
    quantiles = np.percentile(sides, [5, 50, 95])
    listed = ", ".join(f"{quantile:.0f}" for quantile in quantiles)
    told = f"5th, 50th and 95th percentile of their sides: {listed} px"
    if small > 0.5 and quantiles[1] < SMALL_PX and not are_specks:
        yield Finding(
            "small objects",
            WARNING,
            f"{small:.0%} of {len(sides)} regions are smaller than {SMALL_PX} px, one "
            f"step of a network of stride 8 ({told})",
            [],
            "Enlarge: a larger augment.scale, and `zoom` in [predict]",
        )
    else:
        yield Finding("object sizes", NOTE, f"{len(sides)} regions; {told}")
    counted = [f for f in known if f.touching is not None]
    touching = sum(f.touching for f in counted)
    total = sum(len(f.areas) for f in counted)
    if touching > 0.05 * total:
        yield Finding(
            "touching",
            NOTE,
            f"{touching} of {total} objects touch another: a map of classes joins them",
            [f.name for f in counted if f.touching],
            "Train on objects (yolact, mask_rcnn, stardist) to tell them apart",
        )
