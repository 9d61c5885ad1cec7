"""Instances in mask files: a file an instance, or a map of instance ids an image."""

import functools
import pathlib

import numpy as np

from kerasseg.datasets import _layers
from kerasseg.datasets._splits import find_samples, select_by_hash
from kerasseg.datasets.samples import Samples
from kerasseg.images import ImageError, check_folder, find_images, read_image, read_mask


def mask_folders(
    root, split=None, *, name="object", ignore_label=255, val_fraction=0.2
):
    """Objects of one class in mask files, in either layout of the Data Science Bowl.

    - `NAME/images/*.png` with `NAME/masks/*.png`, a folder an image and a file an
      object: what is not 0 is the object. Objects may overlap.
    - `images/NAME.png` with `labels/NAME.png` (or any layout of `folder`), where each
      number above 0 is an object, up to 65535 in 16-bit files.

    Args:
        root: folder.
        split: None for all; "train" and "val" as in `folder`.
        name: of the class.
        ignore_label: id of ignored pixels in `label`; there are none.
        val_fraction: share of the images in "val" where there are no splits.

    Returns:
        Samples as those of `coco`: `image`, `instances`, `classes`, `crowd`, `label`.

    Raises:
        ImageError: if files are missing, broken, or differ in size.

    Example:
        >>> samples = mask_folders("stage1_train", name="nucleus")  # doctest: +SKIP
    """
    root = pathlib.Path(root)
    check_folder(root)
    jobs = _one_file_an_object(root)
    if jobs and split in ("train", "val"):
        jobs = select_by_hash(root, split, jobs, val_fraction)
    elif not jobs:
        jobs = find_samples(root, split, val_fraction)
    return Samples(
        names=tuple(job for job, _, _ in jobs),
        read=functools.partial(_read, jobs),
        classes=("background", name),
        ignore_label=ignore_label,
        files=tuple((file, _source(file, masks)) for _, file, masks in jobs),
    )


def _source(file, masks):
    """The file of the masks, or the folder of their files."""
    return file.parents[1] / "masks" if isinstance(masks, tuple) else masks


def _one_file_an_object(root):
    """(name, image file, mask files) of the first layout; [] if it is another."""
    jobs = []
    for folder in sorted(path.parent for path in root.glob("*/masks")):
        if not (folder / "images").is_dir():
            continue
        found = find_images(folder / "images")
        if len(found) != 1:
            raise ImageError(
                folder / "images",
                "one image beside the masks of its objects",
                f"{len(found)}",
                "Make a folder for each image",
            )
        jobs.append((folder.name, found[0], tuple(find_images(folder / "masks"))))
    return jobs


def _read(jobs, index):
    _, file, masks = jobs[index]
    image = read_image(file)
    size = image.shape[:2]
    if isinstance(masks, tuple):
        maps, _ = _layers.pack((_checked(path, size) > 0 for path in masks), size)
    else:
        ids, numbers = np.unique(_checked(masks, size), return_inverse=True)
        numbers = numbers.reshape(size) + (ids[0] != 0)  # no background: 1..M
        maps = numbers[None].astype("int32")
    classes = np.ones(int(maps.max()), "int32")
    return {
        "image": image,
        "label": _layers.label_of(maps, classes),
        "instances": maps,
        "classes": classes,
        "crowd": np.zeros(len(classes), bool),
    }


def _checked(path, size):
    mask = read_mask(path)
    if mask.shape != size:
        raise ImageError(
            path,
            f"a mask of {size[1]} x {size[0]} pixels, the size of its image",
            f"{mask.shape[1]} x {mask.shape[0]}",
            "Export it again",
        )
    return mask
