"""Magnetic tiles: grey photographs of parts, with five kinds of defects."""

import dataclasses
import functools
import re

from kerasseg.datasets.folder import folder
from kerasseg.images import ImageError
from kerasseg.names import look_up

CLASSES = ("background", "blowhole", "break", "crack", "fray", "uneven")
COLORS = (
    (30, 30, 30),
    (230, 60, 60),
    (240, 170, 40),
    (80, 200, 240),
    (190, 90, 220),
    (90, 200, 110),
)
SPLITS = ("train", "val")
QUARTERS = 4
# One tile was photographed six times in a row, at most this many numbers apart.
GAP = 150


def magnetic_tile(root, split=None, *, quarter=0):
    """Photographs of magnetic tiles, 240 x 100 to 400 x 610 pixels, and their defects.

    Each tile was photographed up to six times under different light, so images whose
    numbers are close stay on one side of a split.

    Args:
        root: folder with `images/KIND_expE_num_N.jpg` and `labels/` of the same names,
            PNG of class indices; KIND is a class, or "free" without defect.
        split: "train", "val" (a quarter of the tiles of each kind), or None for all.
        quarter: which quarter is "val", 0 to 3.

    Returns:
        Samples of `image` uint8 [H, W, 3] and `label` 0 background, 1 blowhole,
        2 break, 3 crack, 4 fray, 5 uneven; at most one kind of defect in an image.

    Raises:
        ImageError: if files are missing, or a name has another form.
        ValueError: if there is no such split or quarter.

    Reference: Huang et al., 2020, https://doi.org/10.1007/s00371-018-1588-5
    """
    if split is not None:
        look_up(split, dict.fromkeys(SPLITS), "split of magnetic_tile")
    if quarter not in range(QUARTERS):
        raise ValueError(
            f"`quarter` must be in 0..{QUARTERS - 1}. Received: quarter={quarter!r}."
        )
    samples = folder(root, classes=CLASSES)
    samples = dataclasses.replace(samples, colors=COLORS)
    if split is None:
        return samples
    found = _quarters([_parse(root, name) for name in samples.names])
    chosen = [i for i, x in enumerate(found) if (x == quarter) == (split == "val")]
    return samples.subset(chosen)


def _parse(root, name):
    """(kind, number) of an image."""
    found = re.fullmatch(r"(\w+)_exp\d+_num_(\d+)", name)
    if found is None:
        wanted = "names like crack_exp1_num_85602"
        raise ImageError(root, wanted, name, "Rename it, or use split=None")
    return found[1], int(found[2])


def _quarters(images):
    """Quarter of each (kind, number): tiles of a kind are dealt out in turn."""
    tiles = []  # lists of positions
    order = sorted(range(len(images)), key=lambda i: images[i][1])
    for before, i in zip([None, *order], order):
        if before is None or images[i][1] - images[before][1] > GAP:
            tiles.append([])
        tiles[-1].append(i)
    kind_of = functools.partial(_kind, images)
    quarters = [0] * len(images)
    for place, tile in enumerate(sorted(tiles, key=kind_of)):
        for i in tile:
            quarters[i] = place % QUARTERS
    return quarters


def _kind(images, tile):
    """The commonest kind of defect of a tile; "free" only where there is none."""
    kinds = [images[i][0] for i in tile]
    defects = [kind for kind in kinds if kind != "free"] or kinds
    return max(sorted({*defects}), key=defects.count)
