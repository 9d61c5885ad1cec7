"""Conversion of data sets from one file format to another."""

import collections
import contextlib
import dataclasses
import os
import pathlib
import tempfile

from kerasseg.datasets import (
    _class_writers,
    _instance_readers,
    _instance_writers,
    _shard_writer,
)
from kerasseg.datasets._instance_writers import by_split
from kerasseg.datasets._sample_content import content_of
from kerasseg.datasets.coco import coco
from kerasseg.datasets.mask_folders import mask_folders
from kerasseg.datasets.samples import Samples
from kerasseg.datasets.split import split
from kerasseg.images import ImageError
from kerasseg.names import look_up

# Lists of the report by the reason why annotations of COCO are left out.
REPORTED = {"empty": "nothing", "boxes": "box", "copies": "copy", "strays": "image"}
WRITERS = {**_instance_writers.WRITERS, **_class_writers.WRITERS}
SHARDS = "tfrecord"


def convert(
    source,
    out,
    *,
    to,
    source_format=None,
    images=None,
    name="object",
    polygons=False,
    boxes="skip",
):
    """Write a data set of instances in another format.

    - "coco": `instances.json` and `images/`. Holds everything; masks are run-length
      codes.
    - "labels": `images/`, 16-bit label images in `labels/`, and `classes.json` with the
      category of each object, see `mask_folders`. Where objects overlap the smaller one
      shows, crowds lie behind.
    - "folders": `NAME/images/NAME.png` and `NAME/masks/00001.png`, one file per
      object. Holds overlaps, but neither classes nor crowds.
    - "yolo": `images/`, polygons in `labels/`, and `data.yaml`. Parts of an object
      become lines of their own, holes are cut open, crowds are objects.
    - "voc": `JPEGImages`, `SegmentationClass`, `SegmentationObject`, `labelmap.txt`.
    - "masks": `images/`, class ids in `labels/`, and `classes.txt`, for `folder`. As in
      VOC, the smaller of two objects shows, and crowds are 255, ignored.
    - "tfrecord": shards of 128 MiB and `shards.json`, for `datasets.tfrecord`. Hold all
      of a sample: masks of classes and objects, which may overlap. Where there are no
      splits, the sides by rule are kept. Needs TensorFlow.

    Where the source gives splits, each keeps its own: a JSON file and a folder in COCO,
    lists in VOC and beside label images of objects, folders elsewhere, and lines of
    data.yaml. "folders" cannot hold them, which the report counts.

    Image files are copied byte for byte. Images, objects, their order and the ids of
    categories are kept; images and annotations are numbered anew from 1. Objects
    without a pixel are left out. After an error nothing is written.

    Args:
        source: folder in the first three of the formats, or a COCO JSON file, or
            Samples of any data set, such as `datasets.labelme(root)`. Labels without
            instances become connected regions.
        out: folder to make; it must not exist, or be empty.
        to: "coco", "labels", "folders", "yolo", "voc", "masks" or "tfrecord".
        source_format: format of the source, likewise; None detects it.
        images: folder of the images, beside a COCO file; None finds it.
        name: class name, where the source has none.
        polygons: write polygons instead of run-length codes, where they give back
            exactly the same pixels. "coco" only.
        boxes: "skip" or "fill" annotations that have a box but no segmentation, see
            `coco`.

    Returns:
        JSON-able dict of "out", "format", the numbers of "images" and "objects" that
        were written, and the losses: "empty", objects without a pixel; "strays", those
        of images that are not listed; "covered",
        objects that others hide in a label image ("pixels" hidden, of "area"; wholly
        hidden ones are left out); "parts", polygons that are parts of an object (yolo);
        "ignored", pixels that become background; "splits", {split: number of images}
        where there are several;
        "classes", {name: number of objects} that are no longer told apart; "crowds",
        number of crowds that became plain objects.

    Raises:
        ImageError: naming file and object, if something in the source is wrong, or
            `out` is not empty.
        ValueError: for an unknown format.

    Example:
        >>> import tempfile
        >>> from kerasseg.images import write_image, write_mask
        >>> root = tempfile.mkdtemp()
        >>> write_image(f"{root}/images/a.png", np.zeros([4, 4, 3], "uint8"))
        >>> write_mask(f"{root}/labels/a.png", np.diag([1, 1, 2, 2]))
        >>> report = convert(root, f"{root}_coco", to="coco", name="nucleus")
        >>> report["images"], report["objects"]
        (1, 2)
    """
    write = look_up(to, {**WRITERS, SHARDS: None}, "format")
    if polygons and to != "coco":
        raise ValueError(
            f"`polygons` needs to='coco'. Received: polygons={polygons}, to={to!r}."
        )
    if to == SHARDS:
        samples = source
        if not isinstance(source, Samples):
            given = {"images": images, "name": name, "boxes": boxes}
            samples = _read(source, source_format, **given)
        return _write_shards(samples, out)
    if isinstance(source, Samples):
        content, source = content_of(source), "the samples"
    else:
        read = source_format or _instance_readers.format_of(source)
        read = look_up(read, _instance_readers.FORMATS, "format")
        content = read(source, images, name, boxes)
    if not content.images:
        raise ImageError(source, "an image or more", "none", "Give another source")
    report = {"out": str(out), "format": to, "images": len(content.images)}
    report |= {"objects": 0, "covered": [], "classes": {}, "crowds": 0}
    for key, reason in REPORTED.items():
        report[key] = [
            {"image": one.image, "object": one.label}
            for one in content.left_out
            if one.reason == reason
        ]
    # Those of COCO's annotations are in the lists already.
    named = "Left out: " if content.left_out else "\0"
    report["notes"] = [n for n in content.notes if not n.startswith(named)]
    counts = {split: len(part) for split, part in by_split(content).items()}
    report["splits"] = {} if None in counts else counts
    if to not in _class_writers.WITH_IGNORED:
        report["ignored"] = _count_ignored(content)
    with new_folder(out) as folder:
        write(folder, content, report, *[polygons] * (to == "coco"))
    return report


def _write_shards(samples, out):
    """The report of samples that were written into TFRecord files."""
    report = {"out": str(out), "format": SHARDS, "images": len(samples), "objects": 0}
    if not len(samples):
        raise ImageError(out, "an image or more", "none", "Give another source")
    samples = _with_sides(samples)
    with new_folder(out) as folder:
        _shard_writer.write(folder, samples, report)
        report["bytes"] = sum(path.stat().st_size for path in folder.iterdir())
    report["notes"] = list(samples.notes)
    report["splits"] = dict(collections.Counter(samples.splits or ()))
    return report


def _with_sides(samples):
    """The same samples with the sides of a split by rule, where they have no splits.

    Shards know neither the files by which near duplicates are told, nor their names.
    """
    if samples.splits is not None or len(samples) < 2:
        return samples
    return _with_val(samples, split(samples, "val"))


def with_sides_of(samples, read, path, options):
    """The same samples with the sides that their reader gives them by its rule.

    Args:
        samples: Samples that `read` gave for all splits.
        read: function of `kerasseg.datasets`.
        path, options: of the folder.
    """
    if samples.splits is not None:
        return samples
    try:
        val = read(path, "val", **options)
    except (ValueError, TypeError):  # no such split
        return samples
    return _with_val(samples, val)


def _with_val(samples, val):
    """The same samples, those of `val` on one side; as they are if these are others."""
    names = {*val.names}
    if not names <= {*samples.names}:
        return samples
    sides = ("val" if name in names else "train" for name in samples.names)
    return dataclasses.replace(samples, splits=tuple(sides))


def _read(source, source_format, *, images, name, boxes):
    """Samples of a folder in one of the first three formats, or of a COCO file."""
    kind = source_format or _instance_readers.format_of(source)
    look_up(kind, _instance_readers.FORMATS, "format")
    path, options = pathlib.Path(source), {"images": images, "boxes": boxes}
    read = coco
    if kind != "coco":
        read, options = mask_folders, {"name": name}
    if path.is_file():
        path, options = path.parent, {**options, "annotations": path}
    return with_sides_of(read(path, **options), read, path, options)


def _count_ignored(content):
    """Number of ignored pixels, for forms that have only objects and background."""
    labels = (one.label() for one in content.images if one.label is not None)
    return int(sum((label == 255).sum() for label in labels))


@contextlib.contextmanager
def new_folder(out):
    """Context of a temporary folder that is renamed to `out` on success."""
    out = pathlib.Path(out)
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise ImageError(
            out,
            "a folder that does not exist yet, or is empty",
            "something that is there",
            "Give another name; nothing is overwritten",
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    # Beside `out`: only within one file system is a rename atomic.
    with tempfile.TemporaryDirectory(prefix=".writing-", dir=out.parent) as temporary:
        folder = pathlib.Path(temporary, "new")
        folder.mkdir()
        yield folder
        os.rename(folder, out)  # fails if somebody has put something there
