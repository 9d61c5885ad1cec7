"""Samples of any data set as content that `convert` writes. Private."""

import functools
import itertools
import shutil

import cv2
import numpy as np

from kerasseg.datasets._instance_readers import (
    AnnotatedImage,
    InstanceDataset,
    ObjectInfo,
)
from kerasseg.images import EXTENSIONS, ImageError, read_image, write_image

NO_OBJECT = ("background", "class 0", "_background_")


def content_of(samples):
    """`InstanceDataset` of samples, of which labels without instances become regions.

    Class 0 is no category if it is called the background, or has no name.
    """
    first = 1 if samples.classes[0].lower() in NO_OBJECT else 0
    categories = {
        class_id + 1 - first: name
        for class_id, name in enumerate(samples.classes)
        if class_id >= first
    }
    splits = samples.splits or (None,) * len(samples)
    owners = {}
    for file, _ in samples.files or ():
        owners[file] = owners.get(file, 0) + 1
    found, left = [], []
    for index, name in enumerate(samples.names):
        if splits[index] is None and any(splits):
            left.append(name)
            continue
        file = samples.files[index][0] if samples.files else None
        single = file is not None and owners[file] == 1 and _suffix(file) in EXTENSIONS
        read = functools.partial(_read, samples, index, first)
        picture = functools.partial(_picture, samples, index, file if single else None)
        suffix = _suffix(file) if single else ".png"
        label = functools.partial(_label, samples, index, first)
        annotated = AnnotatedImage(name + suffix, file, read, picture, label)
        found.append(annotated._replace(split=splits[index]))
    notes = samples.notes
    if left:
        notes += (
            f"Left out: {len(left)} images of no split, such as {left[0]}; split "
            '"all" takes all as one.',
        )
    return InstanceDataset(found, categories, (), notes)


def _suffix(file):
    return file.suffix.lower()


def _picture(samples, index, file):
    """The file to copy, or the array to write where no file is the image alone."""
    image = samples[index]["image"]
    if file is None:
        return image
    stored = read_image(file, channels=None)
    # A file of one channel of several is not the image; grey ones may be read as RGB.
    bands = stored.shape[2], image.shape[2]
    whole = bands[0] >= bands[1] or bands == (1, 3)
    return file if whole and stored.shape[:2] == image.shape[:2] else image


def _label(samples, index, first):
    """Class map in the ids of categories; 0 is the background, 255 ignored."""
    label = samples[index]["label"]
    ignored = label == samples.ignore_label
    return np.where(ignored, 255, label + (1 - first)).astype("int32")


def _read(samples, index, first):
    sample = samples[index]
    label = sample["label"]
    if "instances" not in sample:
        return label.shape, *_regions(label, first, samples.ignore_label)
    classes = np.asarray(sample["classes"])
    crowd = np.asarray(sample.get("crowd", np.zeros(len(classes))), bool)
    infos = [
        ObjectInfo(f"object {number}", int(class_id) + 1 - first, bool(is_crowd))
        for number, (class_id, is_crowd) in enumerate(zip(classes, crowd), 1)
    ]
    maps = np.asarray(sample["instances"])
    masks = ((maps == number).any(0) for number in range(1, len(classes) + 1))
    # What has a class but is no object, such as the stuff of a panoptic map.
    rest = np.where(maps.any(0), samples.ignore_label, label)
    more, regions = _regions(rest, max(first, 1), samples.ignore_label)
    return label.shape, infos + more, itertools.chain(masks, regions)


def _regions(label, first, ignore_label):
    """Connected regions of each class as objects."""
    infos, places = [], []
    for class_id in np.unique(label).tolist():
        if class_id < first or class_id == ignore_label:
            continue
        region = (label == class_id).astype("uint8")
        num, parts = cv2.connectedComponents(region, connectivity=8)
        for number in range(1, num):
            name = f"region {number} of class {class_id}"
            infos.append(ObjectInfo(name, class_id + 1 - first, False))
            places.append((parts, number))
    return infos, (parts == number for parts, number in places)


def write_picture(annotated, target):
    """Copy the file of an image, or write its array; returns the path written."""
    picture = annotated.file if annotated.picture is None else annotated.picture()
    target.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(picture, np.ndarray):
        shutil.copyfile(picture, target)
        return target
    if picture.shape[2] not in (1, 3):
        raise ImageError(
            target,
            "images of one or three bands, or a file for each",
            f"{picture.shape[2]} bands in {annotated.name}",
            "Keep the form that the data are in",
        )
    target = target.with_suffix(".png" if picture.dtype.kind == "u" else ".tif")
    write_image(target, picture)
    return target
