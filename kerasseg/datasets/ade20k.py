"""ADE20K: scenes in 150 classes, as in the scene parsing challenge of 2016."""

import functools
import pathlib
import re

from kerasseg.datasets import _pairs, _sniff
from kerasseg.datasets._forms import reads
from kerasseg.datasets._pairs import Pair
from kerasseg.images import ImageError, check_folder, read_mask

NUM_CLASSES = 150
NAMES = "objectInfo150.txt"
SPLITS = ("training", "validation")


def _base(root):
    places = [f"{kind}/{SPLITS[0]}" for kind in ("images", "annotations")]
    return _pairs.find_parent(root, *places)


def _found(root):
    base = _base(root)
    if base is None:
        return None
    first = next(iter(_sniff.images_of(base / "annotations")), None)
    # Folders of these names are common: the names of the files, or the list, must fit.
    own = first is not None and first.name.startswith("ADE_")
    if not own and not (base / NAMES).is_file():
        return None
    return "images/training and annotations/training" + f", {NAMES}" * (not own)


@reads("ADE20K", _found)
def ade20k(root, split=None, *, ignore_label=255, val_fraction=0.2):
    """Scenes in 150 classes; 0 in the files, other objects, is ignored.

    `images/training/NAME.jpg` has its labels in `annotations/training/NAME.png`, ids
    1..150 that become 0..149. Class names are those of `objectInfo150.txt`, the first
    of several, or numbers without that file.

    Args:
        root: folder of ADEChallengeData2016, or one above it.
        split: None for all, "train" or "val".
        ignore_label: id of pixels without a class.
        val_fraction: not used where both folders are there.

    Returns:
        Samples of `image` uint8 [H, W, 3] and `label` 0..149 or 255.

    Raises:
        ImageError: if files are missing or hold other ids.

    Reference: Zhou et al., 2019, https://arxiv.org/abs/1608.05442
    """
    root = pathlib.Path(root)
    check_folder(root)
    base = _base(root)
    if base is None:
        received = "not both"
        required = "images/training and annotations/training"
        raise ImageError(root, required, received, "Check the path")
    pairs, missing = [], []
    present = [name for name in SPLITS if (base / "images" / name).is_dir()]
    for name in present:
        masks = _pairs.by_stem(_sniff.images_of(base / "annotations" / name))
        for image in _sniff.images_of(base / "images" / name):
            if image.stem not in masks:
                missing.append(image)
                continue
            side = name if len(present) > 1 else None
            pairs.append(Pair(image.stem, image, masks[image.stem], side))
    if missing:
        raise ImageError(
            missing[0],
            "labels for each image, of the same name",
            f"{len(missing)} images without",
            "Add them, or move the images away",
        )
    ids = {number: number - 1 for number in range(1, NUM_CLASSES + 1)}
    # 0 is "other objects", which the benchmark of 150 classes does not score.
    values = {0: ignore_label, **ids, 255: ignore_label}
    read_label = functools.partial(read_mask, values=values)
    return _pairs.make_samples(
        base,
        split,
        pairs,
        lambda pair: _pairs.read_pair(pair.image, pair.mask, read_label),
        _names(base / NAMES),
        val_fraction=val_fraction,
        ignore_label=ignore_label,
    )


def _names(path):
    """Names of objectInfo150.txt: Idx, Ratio, Train, Val, Stuff, Name."""
    if not path.is_file():
        return tuple(f"class {number}" for number in range(1, NUM_CLASSES + 1))
    names = []
    for line in _pairs.lines_of(path)[1:]:
        name = re.split(r"\t+|\s{2,}", line)[-1]
        names.append(name.split(",")[0].split(";")[0].strip())
    if len(names) != NUM_CLASSES:
        raise ImageError(
            path, f"{NUM_CLASSES} lines below the first", f"{len(names)}", "Restore it"
        )
    counts = {name: names.count(name) for name in names}
    return tuple(
        name if counts[name] == 1 else f"{name} {number}"
        for number, name in enumerate(names, 1)
    )
