"""Objects as annotation tools write them, and samples of them. Private.

The reader of a form turns its files into `Annotations`; what is common to all forms,
from the split to the maps of instances, is here.
"""

import collections
import functools
import pathlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from kerasseg.datasets import _id_maps, _json
from kerasseg.datasets._by_rule import select_by_hash
from kerasseg.datasets._image_index import names_of
from kerasseg.datasets._splits import (
    choose_given,
    given_splits,
    lacks_val,
)
from kerasseg.datasets.samples import Samples
from kerasseg.images import ImageError, read_image
from kerasseg.instance.polygons import from_polygons

BACKGROUND = ("background", "_background_", "__background__")
IGNORED = ("__ignore__", "ignore", "void")  # LabelMe's, and what others call it
CIRCLE = 64  # points of a circle
NAMED = 5  # of what was left out, in a note
MAX_BYTES = 2**30  # of a file of annotations


class Shape(NamedTuple):
    """One shape of one object.

    Attributes:
        label: class name.
        where: place in its file, for messages: "line 3".
        rings: flat lists x1, y1, x2, y2, ... in pixels, together the shape.
        mask: instead of rings a function of (height, width) -> bool [H, W].
        group: shapes of one label and one group, not None, are parts of one object.
    """

    label: str
    where: str
    rings: tuple = ()
    mask: Callable | None = None
    group: object = None


class Annotated(NamedTuple):
    """One image and its shapes.

    Attributes:
        file: image file.
        source: annotation file.
        shapes: list of `Shape`.
        size: (height, width) that the annotations count in, or None.
        split: name of the split that it is given to, or None.
        embedded: where there is no image file a function without arguments -> bytes of
            one; `file` is then the annotation file.
    """

    file: pathlib.Path
    source: pathlib.Path
    shapes: list
    size: tuple | None = None
    split: str | None = None
    embedded: Callable | None = None


class Annotations(NamedTuple):
    """The annotated images of a data set.

    Attributes:
        images: list of `Annotated`.
        classes: names in the order of their ids, or () for the labels in alphabetical
            order.
        notes: sentences about what is left out.
    """

    images: list
    classes: tuple = ()
    notes: tuple = ()


class LeftOut:
    """Counts what a form holds and a reader leaves out, by reason.

    Example:
        >>> left_out = LeftOut()
        >>> left_out.add("points, which have no area", "a.json")
        >>> left_out.notes()
        ('Left out: 1 points, which have no area: a.json.',)
    """

    def __init__(self):
        self.reasons = collections.defaultdict(list)

    def add(self, reason, where):
        """Count one."""
        self.reasons[reason].append(str(where))

    def notes(self):
        """A sentence for each reason."""
        return tuple(
            f"Left out: {len(places)} {reason}: "
            f"{', '.join(list(dict.fromkeys(places))[:NAMED])}"
            f"{', ...' * (len({*places}) > NAMED)}."
            for reason, places in self.reasons.items()
        )


def make_samples(root, split, found, *, ignore_label, val_fraction):
    """`Samples` of annotations, as `coco` describes them."""
    root = pathlib.Path(root)
    if not found.images:
        raise ImageError(root, "an annotated image or more", "none", "Check the folder")
    counts = collections.Counter(
        shape.label for a in found.images for shape in a.shapes
    )
    classes, notes = _classes(found, counts)
    jobs = list(zip(names_of([a.file for a in found.images], root), found.images))
    jobs.sort(key=lambda job: job[0])
    _check_once(jobs)
    jobs = _part(root, split, jobs, val_fraction)
    ids = {name: class_id for class_id, name in enumerate(classes, 1)}
    read = functools.partial(_read, [job for _, job in jobs], ids, ignore_label)
    return Samples(
        names=tuple(name for name, _ in jobs),
        read=read,
        classes=("background", *classes),
        ignore_label=ignore_label,
        files=tuple((job.file, job.source) for _, job in jobs),
        notes=(*found.notes, *notes),
        splits=given_splits(split, [job.split for _, job in jobs]),
    )


def _classes(found, counts):
    """Class names without the background, and notes about labels that are none."""
    names = list(dict.fromkeys(found.classes)) or sorted(counts, key=_natural)
    if odd := [name for name in names if name and not _json.is_text(name)]:
        _json.fail(found.images[0].source, "labels that are text", repr(odd[0]))
    missing = sorted(set(counts) - set(names))
    if missing:
        sources = {
            shape.label: f"{a.source}, {shape.where}"
            for a in found.images
            for shape in a.shapes
        }
        raise ImageError(
            found.images[0].source,
            f"labels among the classes of the data set: {', '.join(names)[:200]}",
            f"{', '.join(map(repr, missing[:3]))} ({sources[missing[0]]})",
            "Add them to the list of classes, or correct the label",
        )
    notes = []
    for name in [name for name in names if name.lower() in (*BACKGROUND, *IGNORED)]:
        names.remove(name)
        meaning = "the background" if name.lower() in BACKGROUND else "ignored pixels"
        if counts[name]:
            notes.append(f"{counts[name]} shapes labelled {name!r} are {meaning}.")
    return names, notes


def _natural(name):
    """Key that sorts "2" before "10"."""
    return (0, int(name), "") if name.isdecimal() and len(name) < 10 else (1, 0, name)


def _check_once(jobs):
    """Refuse two entries of one image in two files."""
    owner = {}
    for _, job in jobs:
        other = owner.setdefault(job.file, job)
        if other is not job:
            raise ImageError(
                job.source,
                "one entry for each image",
                f"{job.file.name} twice, also in {other.source}",
                "Move the other annotations away, or unite them",
            )


def _part(root, split, jobs, val_fraction):
    if split is None:
        return jobs
    given = {job.split for _, job in jobs} - {None}
    if lacks_val(split, given):
        jobs = choose_given(root, "train", jobs, lambda entry: entry[1].split)
    elif given:
        return choose_given(root, split, jobs, lambda entry: entry[1].split)
    kinds = [{shape.label for shape in job.shapes} or {None} for _, job in jobs]
    # `select_by_hash` wants the image's file second.
    entries = [(name, job.file, job) for name, job in jobs]
    chosen = select_by_hash(root, split, entries, val_fraction, kinds)
    return [(name, job) for name, _, job in chosen]


def _read(jobs, ids, ignore_label, index):
    job = jobs[index]
    image = _read_picture(job)
    size = image.shape[:2]
    if job.size is not None and tuple(job.size) != size:
        swapped = tuple(job.size) == size[::-1]
        raise ImageError(
            job.file,
            f"an image of {job.size[1]} x {job.size[0]} pixels, as {job.source} says",
            f"{size[1]} x {size[0]}",
            "The EXIF orientation, which is applied here, was ignored by the tool: "
            "save the image upright and annotate that"
            if swapped
            else "Annotate the image at the size that it has",
        )
    objects = [shape for shape in _objects(job.shapes) if shape[0] not in BACKGROUND]
    masks = (_mask(job, shapes, size) for _, shapes in objects)
    maps, kept = _id_maps.pack_masks(masks, size, job.source)
    labels = [objects[place][0] for place in kept]
    crowd = np.array([label not in ids for label in labels], bool)
    classes = np.array([ids.get(label, 1) for label in labels], "int32")
    sample = _id_maps.make_sample(
        image, maps, classes, crowd, ignore_label=ignore_label
    )
    boxes, areas = _id_maps.boxes_and_areas(maps, len(classes))
    left_out = len(objects) - len(kept)
    return {**sample, "boxes": boxes, "areas": areas, "left_out": left_out}


def _read_picture(job):
    if job.embedded is None:
        return read_image(job.file)
    try:
        return read_image(job.embedded())
    except ImageError as error:
        _, *parts = error.args
        raise ImageError(job.file, *parts) from error


def _objects(shapes):
    """(label, its shapes) of each object, those that are ignored pixels too."""
    groups, objects = {}, []
    for shape in shapes:
        key = (shape.label, shape.group)
        if shape.group is not None and key in groups:
            groups[key].append(shape)
            continue
        groups[key] = [shape]
        objects.append((shape.label, groups[key]))
    return [(name, parts) for name, parts in objects if name.lower() not in BACKGROUND]


def _mask(job, shapes, size):
    mask = np.zeros(size, bool)
    for shape in shapes:
        try:
            mask |= (
                from_polygons(shape.rings, size)
                if shape.mask is None
                else (shape.mask(size))
            )
        except ValueError as error:
            raise ImageError(
                job.source,
                "shapes that lie in the image",
                f"{shape.where}, {shape.label!r} of {job.file.name}: {error}",
                "Correct the shape or export it again",
            ) from error
    return mask


def ellipse(x, y, radius_x, radius_y, angle=0.0):
    """Ring of an ellipse; `angle` in degrees, clockwise as the image is seen."""
    turn = 2 * np.pi * np.arange(CIRCLE) / CIRCLE
    points = np.stack([radius_x * np.cos(turn), radius_y * np.sin(turn)], 1)
    return (_turned(points, angle) + np.array([x, y])).ravel().tolist()


def rectangle(x, y, width, height, angle=0.0):
    """Ring of a rectangle, turned around its corner (x, y) by `angle` degrees."""
    points = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    return (_turned(points, angle) + np.array([x, y])).ravel().tolist()


def _turned(points, angle):
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return points @ np.array([[cos, sin], [-sin, cos]])


def read_text(path, most=MAX_BYTES):
    """Text of a file of annotations.

    Raises:
        ImageError: if it is missing, too large, or no UTF-8 or UTF-16.
    """
    path = pathlib.Path(path)
    try:
        if path.stat().st_size > most:
            received = f"{path.stat().st_size} bytes"
            raise ImageError(path, f"at most {most} bytes", received, "Split it")
        data = path.read_bytes()
    except OSError as error:
        raise ImageError(path, "a readable file", str(error), "Check it") from error
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ImageError(
            path, "text in UTF-8", f"{error} in line {line}", "Save it as UTF-8"
        ) from error


def finite(path, where, values):
    """Numbers as a list of floats.

    Raises:
        ImageError: if one is none, or not finite.
    """
    try:
        numbers = np.array([float(value) for value in values])
        if np.isfinite(numbers).all():
            return numbers.tolist()
    except (TypeError, ValueError, OverflowError):
        pass
    raise ImageError(
        path, "finite numbers", f"{where}: {values!r}"[:120], "Correct the file"
    )
