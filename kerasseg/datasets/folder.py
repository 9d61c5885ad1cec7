"""Images and masks in a folder, in the usual layouts."""

import functools
import pathlib

import numpy as np

from kerasseg.datasets import _class_labels
from kerasseg.datasets._forms import reads
from kerasseg.datasets._layout import SPLITS, descend, find_folders
from kerasseg.datasets._pairs import read_pair
from kerasseg.datasets._splits import (
    all_masks,
    find_all,
    find_samples,
)
from kerasseg.datasets.samples import Samples
from kerasseg.images import ImageError, check_folder, read_mask
from kerasseg.images.listing import image_files


def _found(root):
    root = descend(root)
    for split in (None, *SPLITS):
        try:
            folders = find_folders(root, split)
        except ImageError as error:  # several could be meant
            return str(error)
        if folders and any(image_files(folders[1]).values()):
            image, mask = (path.relative_to(root).as_posix() for path in folders)
            if image == mask:
                return "masks beside their images"
            return f"images in {image}/ and masks in {mask}/"
    return None


@reads("images and masks", _found, is_general=True)
def folder(
    root,
    split=None,
    *,
    channels=3,
    classes=None,
    colors=None,
    values=None,
    ignore_label=255,
    val_fraction=0.2,
):
    """Images and masks in a folder.

    Known layouts are `images/` beside `labels/` (or `masks`, `annotations`, `gt`, ...),
    with splits as `<split>/images`, `images/<split>`, `<split>_images`, or as a list of
    names `<split>.txt`; and masks beside their images, such as `x_mask.png` by `x.jpg`,
    or `x.png` by each `x.jpg`. Subfolders are searched. An image and its mask have the
    same name up to words like `_mask`, `_gt`, `_leftImg8bit`; masks without an image
    are left out.

    A folder around all is no hindrance. In a folder without splits, or with all but
    "val", "val" are the samples whose SHA-256 of the name, as a
    fraction of its range, is below `val_fraction`, and "train" are the others: a sample
    keeps its side when others are added. If one side were empty, "val" is the
    sample with the lowest hash. Where one side has less than half of its share of a
    class, samples with it change sides, so that a class of two samples or more is on
    both; all masks are read for this. Near duplicates stay on one side. Frames of one
    video or photographs of one object land on both: give such data a `train.txt` and a
    `val.txt`, or a pattern of groups (`split`, --group).

    Class ids are the numbers in the masks; they are never changed unless `colors` or
    `values` says so. Where masks are black and white (0 and 255), 255 would be ignored:
    say `values={0: 0, 255: 1}`.

    Args:
        root: path.
        split: None for all, "train", "val", "test" or the name of one in the folder.
        channels: of the images: 1 grey, 3 RGB, another number of bands, None as
            stored.
        classes: class names by id, or their number. Default: the lines of
            `root/classes.txt`, or of Roboflow's `_classes.csv`, else as many as
            `colors`, `values` or the masks use, for which all masks are read once.
        colors: as for `images.read_mask`, for masks that code classes by colour; in a
            mapping, "255, 0, 0" and "#ff0000" stand for (255, 0, 0), as TOML needs.
            None reads a `class_dict.csv` (name,r,g,b) or `label_colors.txt` in root.
        values: as for `images.read_mask`, for masks that hold other numbers.
        ignore_label: the id of pixels without a class.
        val_fraction: share of the samples in "val" where the folder has no splits.

    Returns:
        Samples, sorted by name, with `files`. A name is the path inside the image
        folder without the extension.

    Raises:
        ImageError: if folders, images or masks are missing or ambiguous; also, where
            `classes` are not given, if the numbers in the masks are those of objects,
            of grey levels or of noise around black and white.
        ValueError: if an argument is malformed.

    Example:
        >>> import tempfile
        >>> from kerasseg import images
        >>> root = tempfile.mkdtemp()
        >>> images.write_image(f"{root}/images/a.png", np.zeros([4, 4, 3], "uint8"))
        >>> images.write_mask(f"{root}/labels/a.png", np.diag([1, 1, 2, 2]))
        >>> samples = folder(root)
        >>> samples.names, samples.classes
        (('a',), ('class 0', 'class 1', 'class 2'))
    """
    check_folder(root)
    root = descend(pathlib.Path(root))
    if not 0 < val_fraction < 1:
        raise ValueError(
            f"`val_fraction` must be between 0 and 1. Received: {val_fraction}."
        )
    masks_of = functools.partial(all_masks, root, split)
    classes, colors = _class_labels.find_colors(root, masks_of, classes, colors, values)
    read_label = functools.partial(read_mask, colors=colors, values=values)
    # Masks are asked for the split and for the number of classes, but read once.
    ids_of = functools.cache(lambda file: set(np.unique(read_label(file)).tolist()))
    found, splits = find_samples(
        root, split, val_fraction, lambda file: ids_of(file) - {ignore_label}
    )
    mapping = values if colors is None else colors
    classes = _class_labels.find_names(root, masks_of, classes, mapping, ignore_label)
    files = tuple((image, mask) for _, image, mask in found)
    return Samples(
        names=tuple(name for name, _, _ in found),
        read=functools.partial(_read, files, channels, read_label),
        classes=classes,
        ignore_label=ignore_label,
        colors=_class_labels.colors_by_id(colors, len(classes)),
        files=files,
        notes=_others_beside(root, files),
        splits=splits,
    )


def _others_beside(root, files):
    """A note about pictures beside images and masks that are neither."""
    if files[0][0].parent != files[0][1].parent:
        return ()
    try:  # both sides of a split
        files = [pair for _, *pair, _ in find_all(root)]
    except ImageError:  # a folder for each, in which every sample is told
        root = files[0][0].parent
    used = {path for pair in files for path in pair}
    found = (path for paths in image_files(root).values() for path in paths)
    left = [path for path in found if path not in used]
    if not left:
        return ()
    return (
        f"Left out: {len(left)} pictures that are neither image nor mask of a sample, "
        f"such as {left[0].name}; where several people annotated, the first is taken.",
    )


def _read(files, channels, read_label, index):
    return read_pair(*files[index], read_label, channels)
