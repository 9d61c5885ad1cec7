"""One black and white mask for each class of an image."""

import functools
import pathlib
from typing import NamedTuple

import numpy as np

from kerasseg.datasets import _pairs, _sniff
from kerasseg.datasets._forms import reads
from kerasseg.datasets._layout import IMAGE_FOLDERS, LABEL_FOLDERS, SPLITS, descend
from kerasseg.datasets._pairs import Pair
from kerasseg.datasets._splits import usual
from kerasseg.images import (
    ImageError,
    check_folder,
    mask_kinds,
    read_image,
    read_mask,
)
from kerasseg.images.listing import without_mask_word

ANNOTATORS = ("annotator", "observer", "expert", "rater", "reader")  # see annotators


class Layout(NamedTuple):
    """Images {name: file}, masks {class: {name: file}}, and {name: split}, or {}."""

    files: dict
    masks: dict
    splits: dict


def layout_of(root):
    """`Layout` of a folder, or of its folders of splits; None if it has another form.

    Names in folders of splits begin with the folder's.
    """
    root = descend(root)
    if found := _pair(root):
        return Layout(*found, {})
    files, masks, splits = {}, {}, {}
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        side = usual(folder.name)
        if side not in SPLITS or not (found := _pair(folder)):
            continue
        keys = {name: f"{folder.name}/{name}" for name in found[0]}
        files |= {keys[name]: path for name, path in found[0].items()}
        splits |= dict.fromkeys(keys.values(), side)
        for kind, some in found[1].items():
            known = masks.setdefault(kind, {})
            known |= {keys[name]: path for name, path in some.items()}
    return Layout(files, masks, splits) if files else None


def _pair(root):
    """{image name: file}, {class: {image name: mask}}; None if it is not this form."""
    folders = {path.name.lower(): path for path in root.iterdir() if path.is_dir()}
    images = next(
        (folders[n.lower()] for n in IMAGE_FOLDERS if n.lower() in folders), None
    )
    masks = next(
        (folders[n.lower()] for n in LABEL_FOLDERS if n.lower() in folders), None
    )
    if images is None or masks is None:
        return None
    files = _by_name(images)
    inside = sorted(path for path in masks.iterdir() if path.is_dir())
    if {usual(path.name) for path in inside} & {*SPLITS}:  # no classes
        inside = []
    by_class = {}
    for folder in inside:  # masks/CLASS/NAME.png, NAME_mask.png, NAME_CLASS.png
        names = _by_name(folder)
        found = {_owner(name, files): path for name, path in names.items()}
        found |= {without_mask_word(name): path for name, path in names.items()}
        found |= names
        by_class[folder.name] = {key: found[key] for key in files if key in found}
    if len(by_class) > 1 and all(by_class.values()):
        return files, by_class
    by_class = {}
    for stem, path in _by_name(masks).items():  # masks/NAME_CLASS.png
        name = _owner(stem, files)
        if name is None:
            return None
        by_class.setdefault(stem[len(name) + 1 :], {})[name] = path
    both = sum(len(found) for found in by_class.values()) > len(files)
    return (files, by_class) if len(by_class) > 1 and both else None


def _by_name(folder):
    """{path below a folder without extension: image file}; of two the first."""
    found = {}
    for path in _sniff.images_of(folder):
        name = path.relative_to(folder).with_suffix("").as_posix()
        found.setdefault(name, path)
    return found


def _owner(stem, files):
    """The longest name of an image, up to a mark, with which a file's name begins."""
    ends = (i for i, mark in enumerate(stem) if mark in "_-")
    names = [stem[:end] for end in ends if stem[:end] in files]
    return names[-1] if names else None


def _found(root):
    layout = layout_of(root)
    if layout is None or any(n.lower().startswith(ANNOTATORS) for n in layout.masks):
        return None
    listed = list(layout.masks)
    return f"masks of {', '.join(listed[:4])}{', ...' * (len(listed) > 4)}"


@reads("one mask per class", _found)
def class_masks(root, split=None, *, classes=None, values=None, val_fraction=0.2):
    """Images with a black and white mask for each class.

    Masks are `masks/CLASS/NAME.png` or `masks/NAME_CLASS.png` (or `labels`, `gt`, ...)
    of `images/NAME.jpg`, or both in `train/` and `val/`; any number but 0 is the class,
    and a mask that is missing is empty. Where classes overlap, the one of fewer pixels
    in the image is in front.

    Args:
        root: folder.
        split: None for all; "train", "val", "test" where there are such folders, else
            by rule as in `folder`.
        classes: their order, without the background; None for the alphabet.
        values: {number in the files: 0 or 1}, as for `images.read_mask`, of masks that
            are not sharp.
        val_fraction: share of the samples in "val".

    Returns:
        Samples of `image` uint8 [H, W, 3] and `label` int32 [H, W], 0 background.

    Raises:
        ImageError: if files are missing or broken, or masks have grey levels.
        ValueError: if `classes` are not those of the masks.
    """
    root = pathlib.Path(root)
    check_folder(root)
    layout = layout_of(root)
    if layout is None:
        raise ImageError(
            root,
            "images/ and masks/CLASS/NAME.png or masks/NAME_CLASS.png",
            "no such folders",
            "Give the folder above both",
        )
    files, by_class = layout.files, layout.masks
    names = tuple(sorted(by_class) if classes is None else classes)
    if {*names} != {*by_class}:
        raise ValueError(
            f"`classes` must be those of the masks: {', '.join(sorted(by_class))}. "
            f"Received: {names}."
        )
    kept = [name for name in files if any(name in by_class[c] for c in names)]
    num = len(files) - len(kept)
    pairs = [
        Pair(
            name,
            files[name],
            next(by_class[c][name] for c in names if name in by_class[c]),
            layout.splits.get(name),
        )
        for name in kept
    ]
    names = tuple(name for name in names if name.lower() != "background")
    return _pairs.make_samples(
        root,
        split,
        pairs,
        functools.partial(_read, by_class, names, values),
        ("background", *names),
        val_fraction=val_fraction,
        notes=(f"Left out: images without a mask: {num}.",) if num else (),
    )


def _read(by_class, names, values, pair):
    image = read_image(pair.image)
    label = np.zeros(image.shape[:2], "int32")
    masks = []
    for class_id, name in enumerate(names, 1):
        path = by_class[name].get(pair.name)
        if path is None:
            continue
        mask = read_mask(path, values=values)
        _pairs.check_size(pair.image, image, path, mask)
        if len(found := np.unique(mask)) > 2:
            raise ImageError(
                path,
                "a mask of two numbers, 0 and another",
                f"{len(found)} numbers, {found[:6].tolist()}, ...",
                "Export it without smoothing, or say "
                + mask_kinds.to_paste("values", mask_kinds.SPANS),
            )
        masks.append((class_id, mask > 0))
    for class_id, mask in sorted(masks, key=lambda one: -one[1].sum()):
        label[mask] = class_id
    return {"image": image, "label": label}
