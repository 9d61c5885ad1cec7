"""Samples of pairs of an image file and a mask file. Private."""

import functools
import pathlib
from typing import NamedTuple

from kerasseg.datasets._by_rule import select_by_hash
from kerasseg.datasets._splits import (
    choose_given,
    given_splits,
    lacks_val,
    read_lines,
)
from kerasseg.datasets.samples import Samples
from kerasseg.images import ImageError, read_image


class Pair(NamedTuple):
    """One sample: its name, files, split (None without), and group (None: its own).

    Samples of one group stay on one side of a split by rule.
    """

    name: str
    image: pathlib.Path
    mask: pathlib.Path
    split: str | None = None
    group: str | None = None


def make_samples(root, split, pairs, read, classes, **options):
    """`Samples` of pairs.

    Args:
        root: for messages.
        split: None for all, a split that the pairs give, or by rule.
        pairs: list of `Pair`.
        read: function of a pair -> sample.
        classes: class names by id.
        options: `val_fraction`, and other fields of Samples.
    """
    val_fraction = options.pop("val_fraction", 0.2)
    pairs = sorted(pairs)
    if not pairs:
        raise ImageError(
            root, "images with masks", "none of one name", "Give both the same names"
        )
    if split is not None:
        pairs = _part(root, split, pairs, val_fraction)
    return Samples(
        names=tuple(pair.name for pair in pairs),
        read=functools.partial(_read_at, read, pairs),
        classes=tuple(classes),
        files=tuple((pair.image, pair.mask) for pair in pairs),
        splits=given_splits(split, [pair.split for pair in pairs]),
        **options,
    )


def _read_at(read, pairs, index):
    return read(pairs[index])


def _part(root, split, pairs, val_fraction):
    known = {pair.split for pair in pairs} - {None}
    if lacks_val(split, known):
        pairs = choose_given(root, "train", pairs, lambda pair: pair.split)
    elif known:
        return choose_given(root, split, pairs, lambda pair: pair.split)
    groups = [pair.group for pair in pairs]
    return select_by_hash(root, split, pairs, val_fraction, groups=groups)


def read_pair(image_file, mask_file, read_label, channels=3):
    """Sample of an image and a mask of the same size."""
    image = read_image(image_file, channels=channels)
    label = read_label(mask_file)
    check_size(image_file, image, mask_file, label)
    return {"image": image, "label": label}


def check_size(image_file, image, mask_file, label):
    """Refuse a mask of another size than its image."""
    if image.shape[:2] != label.shape:
        raise ImageError(
            mask_file,
            f"height x width of its image {image_file}: "
            f"{image.shape[0]} x {image.shape[1]}",
            f"{label.shape[0]} x {label.shape[1]}",
            "Export the mask again at that size; if only height and width are swapped, "
            "one of the two files lacks the camera's EXIF orientation",
        )


def by_stem(files):
    """{name without extension: file}; of two the first."""
    found = {}
    for path in files:
        found.setdefault(path.stem, path)
    return found


def find_parent(root, *names, depth=2):
    """The folder at or below `root` that holds all of these entries, or None."""
    folders = [pathlib.Path(root)]
    for _ in range(depth + 1):
        for folder in folders:
            if all((folder / name).exists() for name in names):
                return folder
        folders = sorted(
            path
            for folder in folders
            for path in folder.glob("*")
            if path.is_dir() and not path.name.startswith(".")
        )[:200]
    return None


def lines_of(path):
    """Lines of a list of names, without empty ones."""
    return list(read_lines(path))
