"""Instances in mask files: one file per instance, or one id map per image."""

import functools
import pathlib

import numpy as np

from kerasseg.datasets import _id_maps, _mask_files
from kerasseg.datasets._by_rule import select_by_hash
from kerasseg.datasets._forms import reads
from kerasseg.datasets._layout import SPLITS
from kerasseg.datasets._splits import find_samples
from kerasseg.datasets.samples import Samples
from kerasseg.images import check_folder, find_images, read_bands, read_mask
from kerasseg.names import look_up


def _found(root):
    found = None
    for masks in sorted(root.glob("*/masks")):
        # Not train/images and train/masks, a split.
        is_split = any(masks.parent.name.lower() in names for names in SPLITS.values())
        images = masks.parent / "images"
        if images.is_dir() and not is_split and len(find_images(images)) == 1:
            found = masks.parent.name
            break
    return f"folders such as {found}/images and {found}/masks" if found else None


@reads("folders of one mask per object", _found)
def mask_folders(
    root, split=None, *, name="object", ignore_label=255, val_fraction=0.2
):
    """Objects in mask files, in either layout of the Data Science Bowl.

    - `NAME/images/*.png` with `NAME/masks/*.png`, one folder per image and
      one file per object: pixels other than 0 are the object. Objects may overlap.
    - `images/NAME.png` with `labels/NAME.png` (or any layout of `folder`), where each
      number above 0 is an object, up to 65535 in 16-bit files. They are all of one
      class, unless a `classes.json` beside says more, as `convert` writes it.

    Args:
        root: folder.
        split: None for all; "train" and "val" as in `folder`, so that images with and
            without objects are on both sides.
        name: class name, where no `classes.json` gives others.
        ignore_label: id of the pixels of crowds in `label`.
        val_fraction: share of the images in "val" where there are no splits.

    Returns:
        Samples as those of `coco`: `image`, `instances`, `classes`, `crowd`, `label`.

    Raises:
        ImageError: if files are missing, broken, or differ in size.

    Example:
        >>> import tempfile
        >>> from kerasseg import images
        >>> root = tempfile.mkdtemp()
        >>> images.write_image(f"{root}/images/a.png", np.zeros([4, 4, 3], "uint8"))
        >>> images.write_mask(f"{root}/labels/a.png", np.diag([1, 1, 2, 2]))
        >>> samples = mask_folders(root, name="nucleus")
        >>> samples.classes, samples[0]["classes"].tolist()
        (('background', 'nucleus'), [1, 1])
    """
    root = pathlib.Path(root)
    check_folder(root)
    jobs = _mask_files.find_mask_folders(root)
    described = None if jobs else _mask_files.read_classes(root)
    if jobs and split is not None:
        look_up(split, {"train": None, "val": None}, "split of such folders")
        kinds = [{bool(masks)} for _, _, masks in jobs]
        jobs = select_by_hash(root, split, jobs, val_fraction, kinds)
    splits = None
    if not jobs:
        jobs, splits = find_samples(root, split, val_fraction, _has_objects)
    return Samples(
        names=tuple(job for job, _, _ in jobs),
        read=functools.partial(_read, jobs, described, ignore_label),
        classes=("background", *(described[1].values() if described else [name])),
        ignore_label=ignore_label,
        files=tuple((file, _source(file, masks)) for _, file, masks in jobs),
        splits=splits,
    )


def _has_objects(mask):
    return {bool(read_mask(mask).any())}


def _source(file, masks):
    """The file of the masks, or the folder of their files."""
    return file.parents[1] / "masks" if isinstance(masks, tuple) else masks


def _read(jobs, described, ignore_label, index):
    name, file, masks = jobs[index]
    image = read_bands(file)
    size = image.shape[:2]
    if isinstance(masks, tuple):
        masks = (_mask_files.read_mask_of(path, size) > 0 for path in masks)
        maps, _ = _id_maps.pack_masks(masks, size, file)
    else:
        found = _mask_files.read_mask_of(masks, size)
        ids, numbers = np.unique(found, return_inverse=True)
        numbers = numbers.reshape(size) + (ids[0] != 0)  # no background: 1..M
        maps = numbers[None].astype("int32")
    classes = np.ones(int(maps.max()), "int32")
    crowd = np.zeros(len(classes), bool)
    if described:
        path, categories, objects = described
        # Category ids may have gaps, class ids have none.
        positions = {number: place for place, number in enumerate(categories, 1)}
        for place, number in enumerate(ids[ids > 0].tolist()):
            category, crowd[place] = _mask_files.class_of(path, objects, name, number)
            classes[place] = positions[category]
    return _id_maps.make_sample(image, maps, classes, crowd, ignore_label=ignore_label)
