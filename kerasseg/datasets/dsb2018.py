"""Data Science Bowl 2018: nuclei under many microscopes, a split by slides."""

import collections
import hashlib

import numpy as np

from kerasseg.datasets.mask_folders import mask_folders
from kerasseg.images import read_image
from kerasseg.names import look_up

SPLITS = {"train": "train", "val": "val", "all": None}
MIN_CORRELATION = 0.7  # of the pixels on both sides of a cut
MAX_STEP = 1.25  # difference across a cut, relative to that between neighbouring rows
ROUNDING = 0.5  # grey levels more, because dark slides differ by less than one
MAX_TINT = 3.0  # grey levels between the whites of one stained slide


def dsb2018(root, split="train", *, val_fraction=0.2):
    """Nuclei in fluorescence and in stained tissue, crops of larger slides.

    There is no official validation set, and crops of one slide look alike, so that a
    split at random would flatter. The split here keeps crops together that

    - have one size and continue each other across a border: the rows of pixels on its
      two sides correlate, and differ no more than neighbouring rows in one crop; or
    - are stained, of one size, and have the same white: 90th percentiles of red, green
      and blue within three grey levels.

    Crops that touch only at a corner, or along an empty border, are not recognised. For
    each size, and for grey and coloured images apart, whole groups go to "val" in the
    order of the hash of their first name, as long as they fit into `val_fraction`.

    Args:
        root: folder in one of the layouts of `mask_folders`.
        split: "train", "val", or "all".
        val_fraction: largest share of each kind of image in "val".

    Returns:
        Samples as those of `mask_folders`. A split reads every image once.

    Raises:
        ImageError: if files are missing or broken.
        ValueError: if there is no such split.

    Reference: Caicedo et al., 2019, https://doi.org/10.1038/s41592-019-0612-7
    """
    side = look_up(split, SPLITS, "split of dsb2018")
    samples = mask_folders(root, name="nucleus")
    if side is None:
        return samples
    kinds = collections.defaultdict(list)
    for index, (file, _) in enumerate(samples.files):
        image = read_image(file, channels=3).astype("float32")
        # Fluorescence is stored as RGB too, with three equal channels.
        is_stained = bool((image.max(-1) > image.min(-1)).any())
        kinds[(*image.shape[:2], is_stained)].append(
            (index, samples.names[index], image)
        )
    val = set()
    for (_, _, is_stained), crops in kinds.items():
        groups = group_by_slide([image for _, _, image in crops], is_stained)
        members = [[crops[place][:2] for place in places] for places in groups]
        val |= _chosen(members, round(val_fraction * len(crops)))
    return samples.subset(
        i for i in range(len(samples)) if (i in val) == (side == "val")
    )


def group_by_slide(images, is_stained):
    """Group images of one size that come from one slide.

    Args:
        images: list of float32 [H, W, 3].
        is_stained: whether they are coloured.

    Returns:
        List of lists of positions, each in rising order.
    """
    grey = np.stack([image.mean(-1, dtype="float64") for image in images])
    # Below, and with rows and columns exchanged, at the right.
    same = _continues_below(grey) | _continues_below(grey.swapaxes(1, 2))
    if is_stained:
        whites = np.array([np.percentile(x, 90, axis=(0, 1)) for x in images])
        same |= np.abs(whites[:, None] - whites).max(-1) <= MAX_TINT
    # Each image begins as its own group; every pair of one slide joins two groups.
    owner = np.arange(len(images))
    for a, b in zip(*np.nonzero(same)):
        owner[owner == max(owner[a], owner[b])] = min(owner[a], owner[b])
    return [np.flatnonzero(owner == number).tolist() for number in np.unique(owner)]


def _continues_below(images):
    """Whether each of the images [n, H, W] continues in each other one: bool [n, n]."""
    last, first = images[:, -1], images[:, 0]
    within = np.abs(last - images[:, -2]).mean(-1)
    found = np.zeros([len(images)] * 2, bool)
    for index, row in enumerate(last):
        across = np.abs(first - row).mean(-1)
        smooth = across <= MAX_STEP * within[index] + ROUNDING
        found[index] = smooth & (_correlation(row, first) > MIN_CORRELATION)
    return found


def _correlation(row, rows):
    """Pearson's coefficients of one row [L] with others [n, L]; 0 for flat ones."""
    row, rows = row - row.mean(), rows - rows.mean(-1, keepdims=True)
    scale = np.linalg.norm(row) * np.linalg.norm(rows, axis=-1)
    return rows @ row / np.maximum(scale, 1e-3)


def _chosen(groups, most):
    """Indices of whole groups, up to `most` of them, by a hash of their first name."""
    groups = sorted(groups, key=lambda group: _hash(min(name for _, name in group)))
    chosen = set()
    for members in groups:
        if len(chosen) + len(members) <= most:
            chosen |= {index for index, _ in members}
    return chosen


def _hash(name):
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
