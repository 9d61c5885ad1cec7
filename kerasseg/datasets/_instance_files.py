"""Reads the formats of instances picture by picture, for `convert`. Private."""

import functools
import pathlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from kerasseg.datasets import _coco_json, _mask_files
from kerasseg.datasets._splits import find_samples
from kerasseg.images import ImageError, check_folder, read_image

JSON = "instances.json"


class Thing(NamedTuple):
    """One object: how messages call it, its category's id, whether it is a crowd."""

    label: str
    category: int
    crowd: bool


class Picture(NamedTuple):
    """One image and its objects.

    name: path in the folder of images, with the extension.
    file: where it is.
    read: function without arguments -> (height, width), list of `Thing`, and an
        iterator of their masks, bool [H, W].
    """

    name: str
    file: pathlib.Path
    read: Callable


class Source(NamedTuple):
    """A data set: pictures in order, and {category id: name}."""

    pictures: list
    categories: dict


def coco(path, images, name):
    """A JSON file, or a folder that holds `instances.json`, and the images beside."""
    path = pathlib.Path(path)
    file = path / JSON if path.is_dir() else path
    folder = file.parent / images
    check_folder(folder)
    entries, objects, categories = _coco_json.read(file, folder)
    pictures = []
    for entry in entries:
        read = functools.partial(
            _read_coco, file, folder, entry, objects.get(entry["id"], [])
        )
        pictures.append(Picture(entry["file_name"], folder / entry["file_name"], read))
    return Source(pictures, categories)


def labels(path, images, name):
    """Images and label images of ids, classes where `classes.json` says them."""
    check_folder(path)
    described = _mask_files.read_classes(path)
    pictures = []
    for key, file, mask in find_samples(pathlib.Path(path), None, 0):
        read = functools.partial(_read_labels, key, file, mask, described)
        pictures.append(Picture(key + file.suffix, file, read))
    return Source(pictures, described[1] if described else {1: name})


def folders(path, images, name):
    """A folder an image, in it a mask file an object."""
    check_folder(path)
    pictures = []
    for key, file, masks in _mask_files.one_file_an_object(pathlib.Path(path)):
        read = functools.partial(_read_folder, file, masks)
        pictures.append(Picture(key + file.suffix, file, read))
    return Source(pictures, {1: name})


FORMATS = {"coco": coco, "labels": labels, "folders": folders}


def format_of(path):
    """Name of the format of a source.

    Raises:
        ImageError: if there is none, or several could be meant.
    """
    path = pathlib.Path(path)
    if path.is_file():
        return "coco"
    check_folder(path)
    found = ["coco"] if (path / JSON).is_file() else []
    if _mask_files.one_file_an_object(path):
        found.append("folders")
    try:
        find_samples(path, None, 0)
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


def _read_coco(file, folder, entry, annotations):
    size = _coco_json.read_picture(file, entry, folder).shape[:2]
    things = [
        Thing(f"annotation {o['id']}", o["category_id"], bool(o.get("iscrowd", 0)))
        for o in annotations
    ]
    return size, things, (_coco_json.mask_of(file, o, size) for o in annotations)


def _read_labels(key, file, mask, described):
    size = read_image(file).shape[:2]
    numbers = _mask_files.read_mask_of(mask, size)
    ids = [number for number in np.unique(numbers).tolist() if number > 0]
    path, _, objects = described or (None, None, {key: dict.fromkeys(ids, (1, False))})
    things = [
        Thing(f"object {number}", *_mask_files.class_of(path, objects, key, number))
        for number in ids
    ]
    return size, things, (numbers == number for number in ids)


def _read_folder(file, masks):
    size = read_image(file).shape[:2]
    things = [Thing(path.name, 1, False) for path in masks]
    return size, things, (_mask_files.read_mask_of(path, size) > 0 for path in masks)
