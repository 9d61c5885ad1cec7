"""Reading of the instance formats, image by image, for `convert`. Private."""

import functools
import pathlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from kerasseg.datasets import _coco_files, _coco_json, _mask_files
from kerasseg.datasets._coco_notes import is_crowd
from kerasseg.datasets._splits import find_all
from kerasseg.images import ImageError, check_folder, read_image
from kerasseg.instance.coco_entries import key_of

JSON = "instances.json"


class ObjectInfo(NamedTuple):
    """One object: its label in messages, its category's id, whether it is a crowd."""

    label: str
    category: int
    crowd: bool


class AnnotatedImage(NamedTuple):
    """One image and its objects.

    name: path inside the folder of images, with the extension.
    file: its full path.
    read: function without arguments -> (height, width), list of `ObjectInfo`, and an
        iterator of their masks, bool [H, W].
    picture: None where the file is the image; or a function without arguments -> the
        file to copy, or the image itself [H, W, C].
    label: function without arguments -> class map [H, W], or None.
    split: name of the split that it is of, None where all are of one.
    """

    name: str
    file: pathlib.Path
    read: Callable
    picture: Callable | None = None
    label: Callable | None = None
    split: str | None = None


class InstanceDataset(NamedTuple):
    """A data set: list of AnnotatedImage, {category id: name}, what its reader says.

    left_out: `_coco_objects.LeftOut` of each annotation that is none; notes: sentences.
    """

    images: list
    categories: dict
    left_out: tuple = ()
    notes: tuple = ()


def coco(path, images, name, boxes="skip"):
    """A COCO JSON file, or a folder that holds `instances.json`, and its images."""
    path = pathlib.Path(path)
    file = path / JSON if path.is_dir() else path
    folder = _coco_files.image_folder(file.parent, file, images)
    content = _coco_json.read(file, folder, boxes)
    numbers = {number: number for number in content.categories}
    if not all(type(number) is int for number in numbers):  # COCO's own are numbers
        numbers = {number: place for place, number in enumerate(numbers, 1)}
    found = []
    for entry in content.images:
        objects = content.objects.get(entry["id"], [])
        read = functools.partial(_read_coco, file, folder, numbers, entry, objects)
        image_name = entry["file_name"]
        found.append(AnnotatedImage(image_name, folder / image_name, read))
    categories = {numbers[key]: name for key, name in content.categories.items()}
    return InstanceDataset(found, categories, content.left_out, content.notes)


def labels(path, images, name, boxes=None):
    """Images and label images of instance ids, with classes from `classes.json`."""
    check_folder(path)
    described = _mask_files.read_classes(path)
    found = []
    for key, file, mask, split in find_all(pathlib.Path(path)):
        read = functools.partial(_read_labels, key, file, mask, described)
        annotated = AnnotatedImage(key + file.suffix, file, read)
        found.append(annotated._replace(split=split))
    return InstanceDataset(found, described[1] if described else {1: name})


def folders(path, images, name, boxes=None):
    """One folder per image, in it one mask file per object."""
    check_folder(path)
    found = []
    for key, file, masks in _mask_files.find_mask_folders(pathlib.Path(path)):
        read = functools.partial(_read_folder, file, masks)
        found.append(AnnotatedImage(key + file.suffix, file, read))
    return InstanceDataset(found, {1: name})


FORMATS = {"coco": coco, "labels": labels, "folders": folders}


def format_of(path):
    """Format of a source, by the files that it holds.

    Raises:
        ImageError: if there is none, or several could be meant.
    """
    path = pathlib.Path(path)
    if path.is_file():
        return "coco"
    check_folder(path, "file" if path.suffix else "folder")
    found = ["coco"] if (path / JSON).is_file() else []
    if _mask_files.find_mask_folders(path):
        found.append("folders")
    try:
        find_all(path)
        found.append("labels")
    except ImageError:
        if not found:
            raise
    if len(found) > 1:
        raise ImageError(
            path,
            f"one of {', '.join(FORMATS)}",
            f"what could be {' or '.join(found)}",
            "Say which is meant (`source_format`, --from)",
        )
    return found[0]


def _read_coco(file, folder, numbers, entry, annotations):
    size = _coco_json.read_entry_image(file, entry, folder).shape[:2]
    infos = [
        ObjectInfo(f"annotation {o.id}", numbers[key_of(o.category_id)], is_crowd(o))
        for o in annotations
    ]
    name = entry["file_name"]
    masks = (_coco_json.decode_mask(file, name, o, size) for o in annotations)
    return size, infos, masks


def _read_labels(key, file, mask, described):
    size = read_image(file).shape[:2]
    numbers = _mask_files.read_mask_of(mask, size)
    ids = [number for number in np.unique(numbers).tolist() if number > 0]
    path, _, objects = described or (None, None, {key: dict.fromkeys(ids, (1, False))})
    infos = [
        ObjectInfo(f"object {n}", *_mask_files.class_of(path, objects, key, n))
        for n in ids
    ]
    return size, infos, (numbers == number for number in ids)


def _read_folder(file, masks):
    size = read_image(file).shape[:2]
    infos = [ObjectInfo(path.name, 1, False) for path in masks]
    return size, infos, (_mask_files.read_mask_of(path, size) > 0 for path in masks)
