"""Reading and checking of COCO's annotation files. Private."""

import collections
import contextlib
import gc
import math
import os
import pathlib
import re
from typing import NamedTuple

from kerasseg.datasets._coco_notes import group_notes, notes_of
from kerasseg.datasets._coco_objects import read_objects
from kerasseg.datasets._json import fail, is_text, load
from kerasseg.images import ImageError, read_bands
from kerasseg.instance import coco_entries, polygons, rle
from kerasseg.instance.coco_entries import key_of
from kerasseg.names import bounded

MAX_PIXELS = 178_956_970  # Pillow refuses larger images as decompression bombs
BOXES = ("skip", "fill")


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
    with no_garbage_collection():
        return _read(pathlib.Path(path), image_folder, boxes)


@contextlib.contextmanager
def no_garbage_collection():
    """Context, or decorator, without searches for cycles: of millions of entries they
    take half of the time, and there are none.
    """
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
    for entry in categories.values():
        if type(entry.get("name")) is int:  # of digits, or of classes without a name
            entry["name"] = str(entry["name"])
    objects, left_out = read_objects(path, document, images, categories, boxes)
    used = {key_of(o.category_id) for group in objects.values() for o in group}
    groups = coco_entries.group_categories(categories, used)
    names = {n: entry for n, entry in categories.items() if n not in groups}
    _check_names(path, "name", names)
    if "background" in {entry["name"] for entry in names.values()}:
        fail(
            path,
            "no annotation of a category 'background', which is what no object covers",
            "some, which may be left out, or the category named otherwise",
        )
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
