"""Stacks: TIFF files of many pages, and as many pages of labels."""

import functools
import pathlib
import re

import numpy as np

from kerasseg.datasets import _layout, _pairs, _sniff
from kerasseg.datasets._forms import reads
from kerasseg.datasets._layout import find_folders, pair_files
from kerasseg.datasets._pairs import Pair
from kerasseg.images import ImageError, check_folder
from kerasseg.images.class_ids import as_class_ids, check_maps, ids_of_values
from kerasseg.images.listing import masks_beside
from kerasseg.images.tiff_pages import num_pages, read_page

SUFFIXES = (".tif", ".tiff")
MOST_NUMBERS = 1024  # far more than there are classes


def _found(root):
    for path in _sniff.files_of(root, *SUFFIXES)[: _sniff.SAMPLE]:
        try:
            if num_pages(path) > 1 and (pairs := _files(root)):
                first = pairs[0][1]
                return f"{len(pairs)} of {num_pages(path)} pages, such as {first.name}"
        except (ValueError, OSError):
            continue
    return None


@reads("TIFF stacks", _found)
def stacks(
    root, split=None, *, values=None, classes=None, ignore_label=255, val_fraction=0.2
):
    """Pages of TIFF stacks as samples, such as slices of a volume.

    Stacks lie in `images/` and `labels/` (or `masks`, ...) with the same names, or
    beside each other, `NAME.tif` and `NAME_labels.tif`, `train-volume.tif` and
    `train-labels.tif`; both have as many pages, those of labels of one band.
    Neighbouring slices look alike: a split keeps stacks together, and of a single one
    the last slices are "val".

    Args:
        root: folder.
        split: None for all, "train" or "val".
        values: {number in the file: class id}, as for `images.read_mask`.
        classes: class names by id, or their number; None for as many as occur, for
            which all pages are read once.
        ignore_label: id of pixels without a class.
        val_fraction: share of the slices, or stacks, in "val".

    Returns:
        Samples of `image` [H, W, C] in the dtype of the file and `label` int32 [H, W].

    Raises:
        ImageError: if files are broken, or numbers of pages differ.
    """
    root = pathlib.Path(root)
    check_folder(root)
    found = _files(root)
    if not found:
        raise ImageError(
            root, "stacks and their labels", "none", "Name them x.tif and x_labels.tif"
        )
    pairs = []
    for name, image, label in found:
        num = num_pages(image)
        if num_pages(label) != num:
            raise ImageError(
                label, f"{num} pages, as {image}", f"{num_pages(label)}", "Export again"
            )
        last = num - max(1, round(val_fraction * num))
        for place in range(num):
            side = None if len(found) > 1 else ("train", "val")[place >= last]
            pairs.append(Pair(f"{name}/{place:04d}", image, label, side, name))
    if classes is None:
        classes = _count_classes(pairs, values, ignore_label)
    if isinstance(classes, int):
        classes = [f"class {number}" for number in range(classes)]
    read = functools.partial(_read, values)
    return _pairs.make_samples(
        root,
        split,
        pairs,
        read,
        tuple(map(str, classes)),
        val_fraction=val_fraction,
        ignore_label=ignore_label,
    )


def _count_classes(pairs, values, ignore_label):
    if values is not None:
        check_maps(values=values)
        return int(max({*values.values()} - {ignore_label})) + 1
    used = _numbers_in({pair.mask for pair in pairs}) - {ignore_label}
    if max(used, default=0) > ignore_label or used <= {0}:
        raise ImageError(
            pairs[0].mask,
            "numbers of classes",
            f"{sorted(used | {ignore_label})[:6]} in all pages, {ignore_label} is "
            "ignored",
            "Say which is which: --set 'data.values={0: 0, 255: 1}'",
        )
    return int(max(used)) + 1


def _numbers_in(paths):
    """Different numbers in stacks of labels, of a page the largest at most."""
    found = set()
    for path in paths:
        for place in range(num_pages(path)):
            numbers = np.unique(read_page(path, place, as_ids=True))
            found |= {*numbers[-MOST_NUMBERS:].tolist()}
    return found


def _files(root):
    """(name, stack, labels) of each stack."""
    folders = find_folders(root)
    if folders:
        return pair_files(*folders)
    files = _layout.image_files(root)
    beside = masks_beside(files)
    for key in files:  # train-volume.tif and train-labels.tif
        stem = re.sub("(volume|stack|images)$", "", key)
        for word in ("labels", "label", "masks", "mask", "gt"):
            if stem != key and stem + word in files:
                beside.setdefault(key, files[stem + word])
    return [
        (key, files[key][0], paths[0])
        for key, paths in sorted(beside.items())
        if paths and len(paths) == 1 and len(files[key]) == 1
    ]


def _read(values, pair):
    place = int(pair.name.rpartition("/")[2])
    image, stored = (
        read_page(pair.image, place),
        read_page(pair.mask, place, as_ids=True),
    )
    _pairs.check_size(pair.image, image, pair.mask, stored)
    if values is None:
        label = as_class_ids(pair.mask, stored)
    else:
        label = ids_of_values(pair.mask, stored, values)
    return {"image": image.reshape(*label.shape, -1), "label": label}
