"""Sentences about what a COCO file holds that is not learned. Private."""

import collections

from kerasseg.instance.coco_entries import is_background
from kerasseg.names import bounded

NAMED = 5  # of the entries that were left out, in a message


def is_crowd(entry):
    """Whether an annotation is a region of many objects."""
    return entry.crowd in (1, "1")


USUAL_CROWDS = 0.1  # share of annotations; 0.01 in COCO itself
REASONS = {  # of what is left out: as told of one, and of several
    "box": ("has a box but no segmentation", "have a box but no segmentation"),
    "nothing": ("has an empty outline", "have empty outlines"),
    "image": ("is of no listed image", "are of images that are not listed"),
    "copy": ("stands in the file twice", "stand in the file twice"),
}
ADVICE = {"box": ' boxes="fill" makes rectangles of them (--set data.boxes=fill).'}


def notes_of(objects, left_out):
    """Sentences about annotations that are left out, and about crowds."""
    by_reason = collections.defaultdict(list)
    for one in left_out:
        label, image = bounded(one.label, 100), bounded(one.image, 200)
        by_reason[one.reason].append(f"{label} of {image}")
    for reason, names in by_reason.items():
        num, listed = len(names), ", ".join(names[:NAMED])
        which = "annotations" if num > 1 else "annotation"
        yield (
            f"Left out: {num} {which} that {REASONS[reason][num > 1]}: {listed}"
            f"{', ...' * (num > NAMED)}.{ADVICE.get(reason, '')}"
        )
    every = [entry for group in objects.values() for entry in group]
    num = sum(map(is_crowd, every))
    if num > USUAL_CROWDS * len(every):
        which = "Crowds only: all" if num == len(every) else f"Crowds: {num} of"
        have = "has" if num == 1 and len(every) > 1 else "have"
        yield (
            f"{which} {len(every)} {have} iscrowd=1, which is not learned. "
            "Some tools write single brush masks so: crowds=False takes them for "
            "objects (--set data.crowds=false)."
        )


def group_notes(categories, groups):
    """Sentences about categories that are no class."""
    names = [categories[number].get("name") for number in sorted(groups, key=str)]
    for is_ground, reason in ((False, "they only name a group"), (True, "unused")):
        told = [repr(name) for name in names if is_background(name) == is_ground]
        if told:
            listed = bounded(", ".join(told), 500)
            yield f"Left out of the classes, because {reason}: {listed}."
