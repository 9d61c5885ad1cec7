"""Masks of several people of each image, as one label."""

import functools
import pathlib
import re

import numpy as np

from kerasseg.datasets import _pairs
from kerasseg.datasets._forms import reads
from kerasseg.datasets._pairs import Pair
from kerasseg.datasets.class_masks import ANNOTATORS, layout_of
from kerasseg.images import (
    ImageError,
    check_folder,
    mask_kinds,
    read_image,
    read_mask,
)
from kerasseg.images.class_ids import check_maps

WHO = re.compile(rf"({'|'.join(ANNOTATORS)}|gt|mask)[ _-]?\w*|\d(st|nd|rd|th)\w*", re.I)
MOST_CLASSES = 255


def _found(root):
    layout = layout_of(root)
    if layout is None or not all(WHO.fullmatch(name) for name in layout.masks):
        return None
    return f"masks of {', '.join(list(layout.masks)[:4])}"


@reads("masks of several annotators", _found)
def annotators(
    root,
    split=None,
    *,
    annotator="majority",
    values=None,
    classes=None,
    ignore_label=255,
    val_fraction=0.2,
):
    """Images with a mask of each of several people.

    Masks are `masks/WHO/NAME.png` or `masks/NAME_WHO.png` (or `labels`, `gt`, ...) of
    `images/NAME.jpg`, or both in `train/` and `val/`, WHO such as `annotator1`,
    `expert_b` or `2ndHO`. Numbers are class ids; masks of 0 and one other number, such
    as 255, are black and white.

    Args:
        root: folder.
        split: None for all, "train" or "val" by rule as in `folder`.
        annotator: whose masks are the labels; or "majority": what more than half of
            those say who drew the image. Pixels without such a class are ignored.
        values: as for `images.read_mask`, for masks that hold other numbers.
        classes: class names, the background first; None counts the numbers.
        ignore_label: id of pixels without a majority, and of those in the masks.
        val_fraction: share of the samples in "val".

    Returns:
        Samples of `image` uint8 [H, W, 3] and `label` int32 [H, W].

    Raises:
        ImageError: if files are missing or broken, or sizes differ.
        ValueError: if there is no such annotator.
    """
    root = pathlib.Path(root)
    check_folder(root)
    layout = layout_of(root)
    if layout is None:
        raise ImageError(
            root,
            "images/ and masks/WHO/NAME.png or masks/NAME_WHO.png",
            "no such folders",
            "Give the folder above both",
        )
    files, by_who = layout.files, layout.masks
    if annotator != "majority" and annotator not in by_who:
        raise ValueError(
            f'`annotator` must be "majority" or one of {", ".join(sorted(by_who))}. '
            f"Received: {annotator!r}."
        )
    who = sorted(by_who) if annotator == "majority" else [annotator]
    masks = {k: [by_who[w][k] for w in who if k in by_who[w]] for k in files}
    pairs = [
        Pair(name, files[name], masks[name][0], layout.splits.get(name))
        for name in files
        if masks[name]
    ]
    check_maps(values=values)
    if values is None:
        values = _black_and_white(numbers := _numbers(masks))
    if classes is None:
        known = ({*values.values()} if values else numbers) - {ignore_label}
        classes = ["background", *(f"class {i}" for i in range(1, max(known) + 1))]
    num = len(files) - len(pairs)
    notes = [f"Labels are of {annotator} of {', '.join(sorted(by_who))}."]
    notes += [f"Left out: images without a mask: {num}."] * (num > 0)
    return _pairs.make_samples(
        root,
        split,
        pairs,
        functools.partial(_read, masks, values, ignore_label),
        classes,
        ignore_label=ignore_label,
        val_fraction=val_fraction,
        notes=tuple(notes),
    )


def _black_and_white(numbers):
    """{0: 0, number: 1} of masks of 0 and one other number than 1, else None."""
    is_two = len(numbers) == 2 and 0 in numbers and max(numbers) != 1
    return dict(zip(sorted(numbers), (0, 1))) if is_two else None


def _numbers(masks):
    """All numbers in all masks.

    Raises:
        ImageError: if one is black and white but not sharp, or there are too many.
    """
    found = set()
    for path in (path for paths in masks.values() for path in paths):
        mask = read_mask(path)
        counts = np.bincount(np.minimum(mask, 256).ravel(), minlength=257)
        if mask_kinds.is_noisy_black_and_white(counts):
            raise ImageError(
                path,
                "class ids in the masks",
                "black and white that was smoothed",
                f"Say {mask_kinds.to_paste('values', mask_kinds.SPANS)}",
            )
        found |= {*np.unique(mask).tolist()}
        if len(found) > MOST_CLASSES + 1:
            raise ImageError(
                path,
                f"masks of at most {MOST_CLASSES} classes",
                f"{len(found)} numbers",
                "Export class ids, without smoothing",
            )
    return found


def _read(masks, values, ignore_label, pair):
    image = read_image(pair.image)
    drawn = []
    for path in masks[pair.name]:
        mask = read_mask(path, values=values)
        _pairs.check_size(pair.image, image, path, mask)
        drawn.append(mask)
    return {"image": image, "label": majority(drawn, ignore_label)}


def majority(labels, ignore_label=255):
    """Class ids that more than half of several labels say, pixel by pixel.

    Args:
        labels: list of class ids [H, W].
        ignore_label: id where there is no such class.

    Returns:
        int32 [H, W].

    Example:
        >>> majority([np.array([[0, 1]]), np.array([[0, 2]]), np.array([[1, 1]])])
        array([[0, 1]], dtype=int32)
    """
    labels = np.stack(labels)
    # If a class has more than half of the votes, it is the middle one in their order.
    middle = np.sort(labels, axis=0)[len(labels) // 2]
    votes = np.count_nonzero(labels == middle, axis=0)
    return np.where(2 * votes > len(labels), middle, ignore_label).astype("int32")
