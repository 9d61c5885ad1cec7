"""Checks of the annotations of COCO's files, and which are left out. Private."""

import collections
import itertools
from typing import NamedTuple

from kerasseg.datasets._json import fail
from kerasseg.images import ImageError
from kerasseg.instance import coco_entries
from kerasseg.instance.coco_entries import Annotation, key_of

FEW = 20  # annotations whose numbers tell whether they are pixels


class LeftOut(NamedTuple):
    """An annotation that is no object: its image, its label, and the reason."""

    image: str
    label: str
    reason: str


def read_objects(path, document, images, categories, boxes):
    """{image id: annotations with a segmentation}, and what is left out."""
    entries = coco_entries.listed(document, "annotations")
    if entries is None:
        received = document.get("annotations", "none")
        fail(path, "an object with a list 'annotations'", repr(received)[:60])
    objects, left_out = collections.defaultdict(list), []
    for place, entry in enumerate(entries, 1):
        if isinstance(entry, dict):
            entry = coco_entries.annotation_of(entry)
        if not isinstance(entry, Annotation):
            fail(path, "annotations that are objects", repr(entry)[:60])
        if entry.id is None:
            entry = entry._replace(id=f"number {place}")
        number = _check_annotation(path, entry, categories)
        if number not in images:
            where = f"image {entry.image_id!r}"
            left_out.append(LeftOut(where, f"annotation {entry.id}", "image"))
            continue
        if not entry.segmentation and entry.box is not None and boxes == "fill":
            entry = entry._replace(segmentation=coco_entries.rectangle(entry.box))
        if entry.segmentation:
            objects[number].append(entry)
            continue
        reason = "nothing" if entry.box is None else "box"
        name = images[number]["file_name"]
        left_out.append(LeftOut(name, f"annotation {entry.id}", reason))
    _check_left(path, entries, left_out)
    _check_units(path, objects)
    return _without_copies(path, objects, images, left_out), left_out


def _check_left(path, entries, left_out):
    """Refuse a file of which no annotation is left, for a reason that can be mended."""
    if len(left_out) < len(entries):
        return
    reasons = {one.reason: one for one in left_out}
    if {*reasons} == {"image"}:
        one = left_out[0]
        fail(
            path, "a known image_id", f"{one.label}: {one.image.removeprefix('image ')}"
        )
    if "box" in reasons:
        raise ImageError(
            path,
            "annotations with a segmentation (polygons or a code)",
            f"{len(left_out)} without, which have boxes",
            "Export the outlines, too; or take the rectangles for masks: "
            'boxes="fill" (in a recipe: --set data.boxes=fill)',
        )


def _check_units(path, objects):
    """Refuse outlines in shares of the image, in which no object has a pixel."""
    first = itertools.islice(itertools.chain.from_iterable(objects.values()), FEW)
    rings = [one.segmentation for one in first if isinstance(one.segmentation, list)]
    try:
        numbers = [number for ring in rings for part in ring for number in part]
        shares = all(0 <= number <= 1 for number in numbers)
        if numbers and shares and any(number % 1 for number in numbers):
            fail(
                path,
                "outlines in pixels",
                "numbers in 0..1, as shares of width and height",
            )
    except TypeError:  # of other numbers, which are refused with their image
        return


def _without_copies(path, objects, images, left_out):
    """Drop annotations that stand in the file twice; refuse others of the same id."""
    for number, group in objects.items():
        ids = [entry.id for entry in group]
        if len({*map(str, ids)}) == len(ids):
            continue
        kept, name = {}, images[number]["file_name"]
        for entry in group:
            first = kept.setdefault(str(entry.id), entry)
            if first is not entry and first != entry:
                fail(path, "unique ids in each image", f"id {entry.id} of {name}")
            if first is not entry:
                left_out.append(LeftOut(name, f"annotation {entry.id}", "copy"))
        objects[number] = list(kept.values())
    return objects


def _check_annotation(path, entry, categories):
    """Refuse a wrong annotation; returns the id of its image, which may be unknown."""
    name = f"annotation {entry.id}"
    image = key_of(entry.image_id)
    if image is None:
        fail(path, "a known image_id", f"{name}: {entry.image_id!r}")
    if key_of(entry.category_id) not in categories:  # None is none
        fail(path, "a known category_id", f"{name}: {entry.category_id!r}")
    if entry.crowd not in (None, 0, 1, "0", "1"):
        fail(path, "iscrowd 0 or 1", f"{name}: {entry.crowd!r}")
    outlined = isinstance(entry.segmentation, (list, dict))
    if not outlined and (entry.segmentation is not None or entry.box is None):
        received = repr(entry.segmentation)[:60]
        required = "a segmentation (polygons or a code) or a box (x, y, width, height)"
        fail(path, required, f"{name}: {received}, and no usable box")
    return image
