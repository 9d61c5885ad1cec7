"""Cityscapes: leftImg8bit and gtFine, ids of labels as the 19 that are trained."""

import functools
import pathlib

from kerasseg.datasets import _pairs, _sniff
from kerasseg.datasets._forms import reads
from kerasseg.datasets._pairs import Pair
from kerasseg.images import ImageError, check_folder, read_mask

# Train id: label id in the files, name, colour.
TABLE = (
    (7, "road", (128, 64, 128)),
    (8, "sidewalk", (244, 35, 232)),
    (11, "building", (70, 70, 70)),
    (12, "wall", (102, 102, 156)),
    (13, "fence", (190, 153, 153)),
    (17, "pole", (153, 153, 153)),
    (19, "traffic light", (250, 170, 30)),
    (20, "traffic sign", (220, 220, 0)),
    (21, "vegetation", (107, 142, 35)),
    (22, "terrain", (152, 251, 152)),
    (23, "sky", (70, 130, 180)),
    (24, "person", (220, 20, 60)),
    (25, "rider", (255, 0, 0)),
    (26, "car", (0, 0, 142)),
    (27, "truck", (0, 0, 70)),
    (28, "bus", (0, 60, 100)),
    (31, "train", (0, 80, 100)),
    (32, "motorcycle", (0, 0, 230)),
    (33, "bicycle", (119, 11, 32)),
)
# Ids 0..33; the licence plate, -1, is not drawn in the authors' files.
NUM_LABEL_IDS = 34
KINDS = ("labelTrainIds", "labelIds")


def _base(root, annotations="gtFine"):
    return _pairs.find_parent(root, "leftImg8bit", annotations)


def _found(root):
    base = _base(root)
    if base is None:
        return None
    masks = _sniff.files_of(base / "gtFine", ".png")
    named = any(path.stem.endswith(KINDS) for path in masks)
    return "leftImg8bit/ and gtFine/" if named else None


@reads("Cityscapes", _found)
def cityscapes(
    root, split=None, *, annotations="gtFine", ignore_label=255, val_fraction=0.2
):
    """Street scenes of Cityscapes, or of another set in its form, in 19 classes.

    `leftImg8bit/SPLIT/CITY/NAME_leftImg8bit.png` has its labels in
    `gtFine/SPLIT/CITY/NAME_gtFine_labelIds.png`; the ids there become train ids, those
    without one are ignored. `labelTrainIds`, where all images have it, is read as it
    is. Images without labels are left out and counted.

    Args:
        root: folder with `leftImg8bit` and the annotations, or one above it.
        split: None for all, "train", "val", "test", "train_extra"; by rule, whole
            cities on one side, where there are no such folders.
        annotations: "gtFine" or "gtCoarse".
        ignore_label: id of pixels without a class.
        val_fraction: share of the cities in "val" where there are no splits.

    Returns:
        Samples of `image` uint8 [H, W, 3] and `label` 0..18 or 255.

    Raises:
        ImageError: if files are missing or hold other ids.

    Reference: Cordts et al., 2016, https://arxiv.org/abs/1604.01685
    """
    root = pathlib.Path(root)
    check_folder(root)
    base = _base(root, annotations)
    if base is None:
        raise ImageError(
            root, f"leftImg8bit and {annotations}", "not both", "Check the path"
        )
    masks = {}
    for path in _sniff.files_of(base / annotations, ".png"):
        for kind in KINDS:
            stem = path.stem.removesuffix(f"_{annotations}_{kind}")
            if stem != path.stem:
                masks.setdefault(kind, {})[stem] = path
    images = _sniff.images_of(base / "leftImg8bit")
    stems = {path.stem.removesuffix("_leftImg8bit"): path for path in images}
    # labelTrainIds are made by the authors' scripts, often for a part of the images.
    complete = [kind for kind in KINDS if {*stems} <= {*masks.get(kind, ())}]
    kind = complete[0] if complete else "labelIds"
    found = masks.get(kind, {})
    places = {stem: path.relative_to(base).parts[1:-1] for stem, path in stems.items()}
    with_splits = all(len(parts) > 1 for parts in places.values())
    pairs = []
    for stem, path in stems.items():
        if stem in found:
            parts = places[stem]
            city = parts[-1] if parts else None
            side = parts[0] if with_splits else None
            pairs.append(Pair(stem, path, found[stem], side, city))
    num = len(stems) - len(pairs)
    read_label = functools.partial(read_mask, values=_values(kind, ignore_label))
    return _pairs.make_samples(
        base,
        split,
        pairs,
        lambda pair: _pairs.read_pair(pair.image, pair.mask, read_label),
        tuple(name for _, name, _ in TABLE),
        val_fraction=val_fraction,
        ignore_label=ignore_label,
        colors=tuple(color for _, _, color in TABLE),
        notes=(f"Left out: images without labels: {num}.",) if num else (),
    )


def _values(kind, ignore_label):
    if kind == "labelTrainIds":
        return {**{i: i for i in range(len(TABLE))}, 255: ignore_label}
    ids = dict.fromkeys([*range(NUM_LABEL_IDS), 255], ignore_label)
    return ids | {number: class_id for class_id, (number, _, _) in enumerate(TABLE)}
