"""Reading and checking of COCO's annotation files. Private."""

import collections
import contextlib
import gc
import json
import math
import operator
import os
import pathlib
import re
from typing import NamedTuple

from kerasseg.datasets._coco_notes import group_notes, notes_of
from kerasseg.images import ImageError, read_bands
from kerasseg.instance import coco_entries, polygons, rle
from kerasseg.instance.coco_entries import Annotation, key_of
from kerasseg.names import bounded

MAX_BYTES = 2 * 2**30  # COCO's own instances_train2017.json has 0.45 GB
MAX_PIXELS = 178_956_970  # Pillow refuses larger images as decompression bombs
# A text of this density becomes Python objects of 10 to 23 times its size; COCO's own
# of 5. Of empty lists it would be 30.
OBJECTS_PER_TEXT, FEW_BYTES = 16, 2**26
BOXES = ("skip", "fill")


class LeftOut(NamedTuple):
    """An annotation that is no object: its image, its label, and the reason."""

    image: str
    label: str
    reason: str


class Content(NamedTuple):
    """An annotation file, checked.

    Attributes:
        images: list of dicts of "id", "file_name", "height" and "width".
        objects: {image id: list of `Annotation`}, all with a segmentation.
        categories: {category id: name} in the order of ids, groups left out.
        left_out: list of `LeftOut`.
        notes: sentences about what is not as the format says.
    """

    images: list
    objects: dict
    categories: dict
    left_out: list
    notes: tuple


def check_boxes(boxes):
    """Raise a ValueError unless readers know this answer for boxes without masks."""
    if boxes not in BOXES:
        raise ValueError(f"`boxes` must be in {BOXES}. Received: boxes={boxes!r}.")


def read(path, image_folder, boxes="skip"):
    """The content of an annotation file, every cross-reference checked.

    Args:
        path: JSON file.
        image_folder: folder that its file names are relative to.
        boxes: what becomes of annotations that have only a box: "skip" leaves them
            out, "fill" makes the rectangle their mask.

    Returns:
        Content.

    Raises:
        ImageError: naming the file and the entry that is wrong.
        ValueError: for another value of `boxes`.
    """
    check_boxes(boxes)
    with _no_garbage_collection():
        return _read(pathlib.Path(path), image_folder, boxes)


@contextlib.contextmanager
def _no_garbage_collection():
    """Context without searches for cycles: a third of the time, and there are none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _read(path, image_folder, boxes):
    document = load(path, coco_entries.compact)
    images = unique(path, document, "images")
    for number, image in images.items():
        _check_image(path, number, image, image_folder)
    _check_names(path, "file_name", images)
    categories = unique(path, document, "categories")
    objects, left_out = _objects(path, document, images, categories, boxes)
    used = {key_of(o.category_id) for group in objects.values() for o in group}
    groups = coco_entries.group_categories(categories, used)
    names = {n: entry for n, entry in categories.items() if n not in groups}
    _check_names(path, "name", names)
    notes = [*group_notes(categories, groups), *notes_of(objects, left_out)]
    order = coco_entries.ordered(names)
    return Content(
        list(images.values()),
        objects,
        {number: names[number]["name"] for number in order},
        left_out,
        tuple(notes),
    )


def _check_names(path, key, entries):
    counts = collections.Counter()
    for number, entry in entries.items():
        value = entry.get(key)
        if not is_text(value) or counts[value]:
            where = f"{value!r}"[:60] + f" of id {number!r}"
            fail(path, f"a {key} that is text and occurs once", where)
        counts[value] += 1


def is_text(value):
    """Whether a value is text that can be written to a file: no half characters."""
    try:
        return isinstance(value, str) and bool(value.encode())
    except UnicodeEncodeError:
        return False


def load(path, hook=None, form="COCO's JSON"):
    """Content of a JSON file of at most MAX_BYTES; `hook` as of `json.loads`."""
    if not path.is_file():
        raise ImageError(path, "an annotation file", "no such file", "Check the path")
    if path.stat().st_size > MAX_BYTES:
        fail(path, f"at most {MAX_BYTES} bytes", f"{path.stat().st_size} bytes")
    try:
        # Not json.loads(bytes), which holds the bytes beside the text all along.
        with open(path, "rb") as file:
            encoding = json.detect_encoding(file.read(4))
        text = path.read_text(encoding, errors="surrogatepass")
        _check_density(path, text)
        return json.loads(text, object_hook=hook)
    except ImageError:
        raise
    except (ValueError, RecursionError) as error:
        raise ImageError(
            path, form, f"{type(error).__name__}: {error}", "Export it again"
        ) from error


def _check_density(path, text):
    """Refuse a text that is little more than brackets."""
    counts = {sign: text.count(sign) for sign in "{[:,"}
    # Bytes of a dict, a list, an entry and an item.
    num_bytes = sum(map(operator.mul, counts.values(), (100, 72, 80, 16)))
    if num_bytes > OBJECTS_PER_TEXT * len(text) + FEW_BYTES:
        num_lists = counts["{"] + counts["["]
        fail(path, "annotations", f"{num_lists} lists in {len(text)} characters")


def unique(path, document, key):
    """The entries of one of the lists by id, see `coco_entries.key_of`."""
    entries = coco_entries.listed(document, key)
    if entries is None:
        received = document.get(key) if isinstance(document, dict) else document
        fail(path, f"an object with a list {key!r}", type(received).__name__)
    found = {}
    for entry in entries:
        given = entry.get("id") if isinstance(entry, dict) else None
        number = key_of(given)
        if number is None or number in found:
            fail(path, f"{key} with unique ids", f"id {given!r}")
        found[number] = entry
    return found


def _check_image(path, number, image, folder):
    given = image.get("file_name")
    name = _file_name(given, folder)
    if name is None:
        raise ImageError(
            path,
            f"file names inside {folder}",
            f"image {number}: {given!r}",
            "Write file_name relative to that folder, or give another by images=",
        )
    size = [image.get("height"), image.get("width")]
    whole = [key_of(side) for side in size]
    usable = all(type(side) is int and side > 0 for side in whole)
    if not usable or math.prod(whole) > MAX_PIXELS:
        fail(
            path,
            f"a height and a width, together at most {MAX_PIXELS} pixels",
            f"image {number}: {bounded(f'{size[0]!r} x {size[1]!r}', 100)}",
        )
    image.update(id=number, file_name=name, height=whole[0], width=whole[1])


def _objects(path, document, images, categories, boxes):
    """{image id: annotations with a segmentation}, and what is left out."""
    entries = coco_entries.listed(document, "annotations")
    if entries is None:
        fail(path, "an object with a list 'annotations'", type(document).__name__)
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
        fail(path, "a segmentation (polygons or a code)", f"{name}: {received}")
    return image


def _file_name(name, folder):
    """Path inside the folder, with slashes; None if it leads out of it."""
    if not is_text(name) or "\0" in name:
        return None
    if not re.search(r"[/\\:]|^\.", name):  # as of nearly all: nothing to be looked at
        return name
    if "\\" in name and not os.path.isfile(folder / name):  # written under Windows
        name = name.replace("\\", "/")
    # Some tools name files by the folder that the annotations lie in.
    above, _, inner = name.partition("/")
    if above == folder.name and not os.path.exists(folder / name):
        name = inner if os.path.isfile(folder / inner) else name
    name = re.sub("^[A-Za-z]:(?=/)", "", name)
    target = pathlib.PurePosixPath(name)
    if target.is_absolute() and ".." not in target.parts:  # on another machine
        ends = ("/".join(target.parts[i:]) for i in range(1, len(target.parts)))
        found = (end for end in ends if os.path.isfile(folder / end))
        target = pathlib.PurePosixPath(next(found, name))
    outside = target.is_absolute() or ".." in target.parts
    outside |= not target.name or bool(re.match("[A-Za-z]:", name))
    return None if outside else target.as_posix()


def read_entry_image(path, entry, folder):
    """Image of an entry, of the size that the entry says."""
    file = folder / entry["file_name"]
    if not file.resolve().is_relative_to(folder.resolve()):
        fail(path, f"file names inside {folder}, links too", f"{file} elsewhere")
    size = entry["height"], entry["width"]
    image = read_bands(file)
    if image.shape[:2] != size:
        raise ImageError(
            file,
            f"an image of {size[1]} x {size[0]} pixels, as {path.name} says",
            f"{image.shape[1]} x {image.shape[0]}",
            "Correct its entry; mind the EXIF orientation, which is applied",
        )
    return image


def decode_mask(path, name, annotation, size):
    """Mask bool [H, W] of one annotation of an image."""
    segmentation = annotation.segmentation
    try:
        if isinstance(segmentation, dict):
            return rle.decode_rle(segmentation, size=size)
        return polygons.from_polygons(segmentation, size)
    except ValueError as error:
        raise ImageError(
            path,
            "polygons or a run-length code",
            f"annotation {annotation.id} of {name}: {error}",
            "Correct the annotation",
        ) from error


def fail(path, required, received):
    """Raise an ImageError about a file of annotations."""
    raise ImageError(path, required, received, "Correct the file or export it again")
