"""One black and white mask for each class of an image."""

import functools
import pathlib

import numpy as np

from kerasseg.datasets import _pairs
from kerasseg.datasets._forms import reads
from kerasseg.datasets._layout import IMAGE_FOLDERS, LABEL_FOLDERS, descend
from kerasseg.datasets._pairs import Pair
from kerasseg.images import ImageError, check_folder, find_images, read_image, read_mask
from kerasseg.images.listing import without_mask_word

ANNOTATORS = ("annotator", "observer", "expert", "rater", "reader")  # see annotators


def layout_of(root):
    """{image name: file}, {class: {image name: mask}}; None if it is not this form."""
    root = descend(root)
    folders = {path.name.lower(): path for path in root.iterdir() if path.is_dir()}
    images = next(
        (folders[n.lower()] for n in IMAGE_FOLDERS if n.lower() in folders), None
    )
    masks = next(
        (folders[n.lower()] for n in LABEL_FOLDERS if n.lower() in folders), None
    )
    if images is None or masks is None:
        return None
    files = _pairs.by_stem(find_images(images))
    inside = sorted(path for path in masks.iterdir() if path.is_dir())
    by_class = {}
    for folder in inside:  # masks/CLASS/NAME.png
        found = {without_mask_word(p.stem): p for p in find_images(folder)}
        found |= {path.stem: path for path in find_images(folder)}
        by_class[folder.name] = {key: found[key] for key in files if key in found}
    if len(by_class) > 1 and all(by_class.values()):
        return files, by_class
    by_class = {}
    for path in find_images(masks):  # masks/NAME_CLASS.png
        name = max(
            (key for key in files if path.stem.startswith((f"{key}_", f"{key}-"))),
            key=len,
            default=None,
        )
        if name is None:
            return None
        by_class.setdefault(path.stem[len(name) + 1 :], {})[name] = path
    both = sum(len(found) for found in by_class.values()) > len(files)
    return (files, by_class) if len(by_class) > 1 and both else None


def _found(root):
    layout = layout_of(root)
    if layout is None or any(n.lower().startswith(ANNOTATORS) for n in layout[1]):
        return None
    listed = list(layout[1])
    return f"masks of {', '.join(listed[:4])}{', ...' * (len(listed) > 4)}"


@reads("one mask per class", _found)
def class_masks(root, split=None, *, classes=None, val_fraction=0.2):
    """Images with a black and white mask for each class.

    Masks are `masks/CLASS/NAME.png` or `masks/NAME_CLASS.png` (or `labels`, `gt`, ...)
    of `images/NAME.jpg`; any number but 0 is the class, and a mask that is missing is
    empty. Where classes overlap, the one of fewer pixels in the image is in front.

    Args:
        root: folder.
        split: None for all, "train" or "val" by rule as in `folder`.
        classes: their order, without the background; None for the alphabet.
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
    files, by_class = layout
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
        )
        for name in kept
    ]
    names = tuple(name for name in names if name.lower() != "background")
    return _pairs.make_samples(
        root,
        split,
        pairs,
        functools.partial(_read, by_class, names),
        ("background", *names),
        val_fraction=val_fraction,
        notes=(f"Left out: images without a mask: {num}.",) if num else (),
    )


def _read(by_class, names, pair):
    image = read_image(pair.image)
    label = np.zeros(image.shape[:2], "int32")
    masks = []
    for class_id, name in enumerate(names, 1):
        path = by_class[name].get(pair.name)
        if path is None:
            continue
        mask = read_mask(path)
        _pairs.check_size(pair.image, image, path, mask)
        if len(found := np.unique(mask)) > 2:
            raise ImageError(
                path,
                "a mask of two numbers, 0 and another",
                f"{len(found)} numbers, {found[:6].tolist()}, ...",
                "Export it without smoothing",
            )
        masks.append((class_id, mask > 0))
    for class_id, mask in sorted(masks, key=lambda one: -one[1].sum()):
        label[mask] = class_id
    return {"image": image, "label": label}
