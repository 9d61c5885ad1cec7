"""Images in folders as people arrange them, and the masks beside them."""

import functools
import os
import pathlib
import re

from kerasseg.images.content import check_folder
from kerasseg.images.read import EXTENSIONS

# Usual names, and those of Pascal VOC (JPEGImages, SegmentationClass), Cityscapes
# (leftImg8bit, gtFine) and CamVid (annot).
IMAGE_FOLDERS = (
    *("images", "image", "imgs", "img", "JPEGImages", "leftImg8bit"),
    *("photos", "rgb", "frames", "inputs", "input", "originals", "original"),
    "images_png",  # LoveDA
)
LABEL_FOLDERS = (
    *("labels", "label", "masks", "mask", "annotations", "annotation", "annot"),
    *("gt", "gts", "ground_truth", "groundtruth", "SegmentationClass", "gtFine"),
    *("segmentations", "segmentation", "seg", "targets", "target"),
    *("1st_manual", "masks_png"),  # DRIVE, LoveDA
)

# Affixes by which people tell the mask from its image: the Cityscapes data set
# (leftImg8bit, gtFine), CamVid (L), the retinal vessels of DRIVE (manual1) and of
# CHASE_DB1 (1stHO).
MASK_WORDS = (
    "mask masks label labels gt seg segmentation annotation groundtruth ground_truth "
    "gtFine_labelIds gtFine_labelTrainIds labelIds labelTrainIds manual1 1stHO L "
    "anno annot msk lbl"
)
IMAGE_WORDS = "image img leftImg8bit rgb sat photo frame"


def affix(words):
    """Pattern of one of the words at the end or the beginning of a name."""
    # The longest first: "gtFine_labelIds" before "labelIds".
    words = "|".join(sorted(words.split(), key=len, reverse=True))
    return re.compile(rf"[_\-. ](?:{words})$|^(?:{words})[_\-. ]", re.IGNORECASE)


MASK_AFFIX = affix(MASK_WORDS)
IMAGE_AFFIX = affix(IMAGE_WORDS)


def find_pictures(folder, leave_out=None):
    """Image files in a folder and in all below it, and the masks that lie beside them.

    A mask is named after an image of the same folder (`x_mask.png` by `x.jpg`), or lies
    in a folder for masks (`labels`, `train_masks`, ...) with a folder of images beside.

    Args:
        folder: path. Hidden files and folders are left out.
        leave_out: path of a folder to skip, such as that of earlier results, or None.

    Returns:
        ([(name, path)], [path of a mask]), sorted; a name is the path inside the folder
        without the extension.

    Raises:
        ImageError: if there is no such folder.
    """
    folder = pathlib.Path(folder)
    check_folder(folder)
    skip = None if leave_out is None else pathlib.Path(leave_out).resolve()
    inside = skip is not None and skip != folder.resolve()
    files = image_files(folder, skip if inside else None)
    masks = {path for paths in masks_beside(files).values() for path in paths}
    is_mask_folder = functools.cache(_is_mask_folder)
    pictures = []
    for key, paths in files.items():
        for path in paths:
            above = path.relative_to(folder).parents[:-1]
            if any(is_mask_folder(folder / one) for one in above):
                masks.add(path)
            if path not in masks:
                pictures.append((key, path))
    return sorted(pictures), sorted(masks)


def named_pictures(inputs, leave_out):
    """Image files, and those of folders, each with a name of its own.

    Args:
        inputs: paths of files and folders.
        leave_out: as in `find_pictures`.

    Returns:
        ([(name, path)], [path of a mask]) in the order of `inputs`. Of a.png and a.jpg
        the second is called a_2.

    Raises:
        ImageError: if there is no such folder.
    """
    pairs, masks = [], []
    for path in map(pathlib.Path, inputs):
        if path.is_dir():
            found, beside = find_pictures(path, leave_out)
            pairs, masks = pairs + found, masks + beside
        else:
            pairs.append((path.stem, path))
    names = unique_names(stem for stem, _ in pairs)
    return [(name, path) for name, (_, path) in zip(names, pairs)], masks


def unique_names(names):
    """Names that differ, in order: a second "a" becomes "a_2".

    Example:
        >>> unique_names(["a", "b", "a", "a"])
        ['a', 'b', 'a_2', 'a_3']
    """
    found = {}  # ordered, and asked for each name
    for stem in names:
        name, copy = stem, 2
        while name in found:
            name, copy = f"{stem}_{copy}", copy + 1
        found[name] = None
    return list(found)


def _is_mask_folder(folder):
    name = folder.name.lower()
    for word in map(str.lower, LABEL_FOLDERS):
        if not name.endswith(word):
            continue
        prefix = name[: -len(word)]  # "train_" of "train_masks"
        if prefix and prefix[-1] not in "_-. ":
            continue
        wanted = {prefix + kind.lower() for kind in IMAGE_FOLDERS}
        wanted |= {prefix[:-1]} if prefix else set()
        if wanted & _folders_of(folder.parent):
            return True
    return False


def _folders_of(parent):
    with os.scandir(parent) as entries:
        return {entry.name.lower() for entry in entries if entry.is_dir()}


def image_files(folder, leave_out=None):
    """Image files in a folder and in all below it: name without extension -> paths."""
    files = {}
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if name[0] != "."
            and (leave_out is None or pathlib.Path(parent, name).resolve() != leave_out)
        )
        for name in sorted(names):
            path = pathlib.Path(parent, name)
            if name[0] != "." and path.suffix.lower() in EXTENSIONS:
                key = path.relative_to(folder).with_suffix("").as_posix()
                files.setdefault(key, []).append(path)
    return files


def without_mask_word(key):
    """A name without a word like `_mask` at its end or beginning."""
    parent, slash, stem = key.rpartition("/")
    return parent + slash + MASK_AFFIX.sub("", stem, count=1)


def masks_beside(files):
    """Mask paths by the name of the image in the same folder that they belong to."""
    plain = {}  # "x" of "x_image"
    for key in files:
        parent, slash, stem = key.rpartition("/")
        plain.setdefault(parent + slash + IMAGE_AFFIX.sub("", stem, count=1), key)
    masks = {}
    for key, paths in files.items():
        parent, slash, stem = key.rpartition("/")
        image = without_mask_word(key)
        if image != key:
            image = image if image in files else plain.get(image, key)
        elif stem.lower() in MASK_WORDS.lower().split():  # c1/mask beside c1/image
            beside = (parent + slash + word for word in IMAGE_WORDS.split())
            image = next((name for name in beside if name in files), key)
        if image != key:
            masks.setdefault(image, []).extend(paths)
    return masks


def masks_in_twin_folders(files):
    """Mask paths by the name of the image, of pairs of folders at any depth.

    `city/images/a` has its mask in `city/masks/a` or `city/masks/a_mask`.
    """
    images = {}
    for key in files:
        for place in _without_folder(key, IMAGE_FOLDERS):
            images.setdefault(place, key)
    masks = {}
    for key, paths in files.items():
        for place in _without_folder(key, LABEL_FOLDERS):
            image = images.get(place) or images.get(without_mask_word(place))
            if image is not None and image != key:
                masks.setdefault(image, []).extend(paths)
                break
    return masks


def _without_folder(key, names):
    """The key with "*" for a folder of one of the names, the lowest first."""
    parts, known = key.split("/"), {name.lower() for name in names}
    for place in reversed(range(len(parts) - 1)):
        if parts[place].lower() in known:
            yield "/".join([*parts[:place], "*", *parts[place + 1 :]])
