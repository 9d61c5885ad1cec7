"""Pairs of images and masks in folders as people name them. Private."""

import os
import pathlib
import re

from kerasseg.images import EXTENSIONS, ImageError

# Usual names, and those of Pascal VOC (JPEGImages, SegmentationClass), Cityscapes
# (leftImg8bit, gtFine) and CamVid (annot).
IMAGE_FOLDERS = (
    *("images", "image", "imgs", "img", "JPEGImages", "leftImg8bit"),
    *("photos", "rgb", "frames", "inputs", "input"),
)
LABEL_FOLDERS = (
    *("labels", "label", "masks", "mask", "annotations", "annotation", "annot"),
    *("gt", "gts", "ground_truth", "groundtruth", "SegmentationClass", "gtFine"),
    *("segmentations", "segmentation", "seg", "targets", "target"),
)
SPLITS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}

# Affixes by which people tell the mask from its image: the Cityscapes data set
# (leftImg8bit, gtFine), CamVid (L), the retinal vessels of DRIVE (manual1) and of
# CHASE_DB1 (1stHO).
_MASK_WORDS = (
    "mask masks label labels gt seg segmentation annotation groundtruth ground_truth "
    "gtFine_labelIds gtFine_labelTrainIds labelIds labelTrainIds manual1 1stHO L"
)
_IMAGE_WORDS = "image img leftImg8bit rgb sat photo frame"


def _affix(words):
    # The longest first: "gtFine_labelIds" before "labelIds".
    words = "|".join(sorted(words.split(), key=len, reverse=True))
    return re.compile(rf"[_\-. ](?:{words})$|^(?:{words})[_\-. ]", re.IGNORECASE)


_MASK_AFFIX = _affix(_MASK_WORDS)
_ANY_AFFIX = _affix(f"{_MASK_WORDS} {_IMAGE_WORDS}")


def find_folders(root, split=None):
    """(image folder, mask folder) of a split, or of a folder without splits.

    Returns:
        The two paths, the same one twice where masks lie beside their images, or None.

    Raises:
        ImageError: if several folders could be meant.
    """
    known = {path.relative_to(root).as_posix().lower(): path for path in _folders(root)}
    if split is None:
        layouts = [("{kind}", "{kind}")]
    else:
        paired = ("{split}/{kind}", "{kind}/{split}", "{split}_{kind}", "{split}{kind}")
        layouts = [(layout, layout) for layout in paired]
        # Images in train/ beside masks in train_masks/, as in Carvana.
        layouts += [("{split}", layout) for layout in paired[2:]]
    for alias in SPLITS.get(split, (split,)):
        for image_layout, label_layout in layouts:
            images = _named(root, known, image_layout, alias, IMAGE_FOLDERS)
            labels = _named(root, known, label_layout, alias, LABEL_FOLDERS)
            if images and labels:
                return images, labels
        beside = root if split is None else known.get(alias.lower())
        if beside and _masks_beside(image_files(beside)):
            return beside, beside
    return None


def _folders(root):
    """Folders in `root` and in these, without hidden ones."""
    for parent in (root, *_subfolders(root)):
        yield from _subfolders(parent)


def _subfolders(folder):
    with os.scandir(folder) as entries:
        # The order of scandir differs between file systems.
        names = sorted(e.name for e in entries if e.is_dir() and e.name[0] != ".")
    return [folder / name for name in names]


def _named(root, known, layout, split, kinds):
    wanted = (layout.format(split=split, kind=kind).lower() for kind in kinds)
    found = [known[name] for name in dict.fromkeys(wanted) if name in known]
    if len(found) > 1:
        found = [folder for folder in found if image_files(folder)]
    if len(found) > 1:
        raise ImageError(
            root,
            "one folder of images and one of masks",
            " and ".join(str(folder.relative_to(root)) for folder in found),
            "Move those that are not meant out of this folder",
        )
    return found[0] if found else None


def image_files(folder):
    """Image files in a folder and in all below it: name without extension -> paths."""
    files = {}
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name[0] != ".")
        for name in sorted(names):
            path = pathlib.Path(parent, name)
            if name[0] != "." and path.suffix.lower() in EXTENSIONS:
                key = path.relative_to(folder).with_suffix("").as_posix()
                files.setdefault(key, []).append(path)
    return files


def pair_files(image_folder, label_folder, *, incomplete=False):
    """(name, image file, mask file) of each image, sorted by name.

    Names are paths inside the image folder without the extension. A mask has the same
    name, or the same after removing words like `_mask` or `_leftImg8bit`. With
    `incomplete`, images without a mask are left out.

    Raises:
        ImageError: if an image has no mask, or a name two files.
    """
    if image_folder == label_folder:
        images, paired = _pair_beside(image_files(image_folder))
    else:
        images, labels = image_files(image_folder), image_files(label_folder)
        paired = _match(images, labels)
        if not any(paired.values()):
            paired = _match_in_other_subfolders(images, labels)
    if incomplete:
        images = {key: paths for key, paths in images.items() if paired[key]}
    elif not images:
        raise ImageError(image_folder, "images", "a folder without", "Check the path")
    else:
        _check_complete(image_folder, label_folder, images, paired)
    return _unambiguous(images, paired)


def _match(images, labels):
    """Paths of the masks of each image: by name, then by ever looser comparison."""
    paired = {}
    for level in (lambda key: key, _without_mask_word, _without_any_word):
        by_name = {}
        for key, paths in labels.items():
            by_name.setdefault(level(key), []).extend(paths)
        for key in images:
            if not paired.get(key):
                loose = key if level is _without_mask_word else level(key)
                paired[key] = by_name.get(loose, [])
    return paired


def _match_in_other_subfolders(images, labels):
    # Subfolders on one side only, of cities or videos: then names alone must be unique.
    names = {key: key.rpartition("/")[2] for key in images}
    if len(set(names.values())) < len(names):
        return {key: [] for key in images}
    flat = {}
    for key, paths in labels.items():
        flat.setdefault(key.rpartition("/")[2], []).extend(paths)
    found = _match({name: images[key] for key, name in names.items()}, flat)
    return {key: found[name] for key, name in names.items()}


def _without_mask_word(key):
    parent, slash, stem = key.rpartition("/")
    return parent + slash + _MASK_AFFIX.sub("", stem, count=1)


def _without_any_word(key):
    parent, slash, stem = key.rpartition("/")
    shorter = _ANY_AFFIX.sub("", stem)
    while shorter != stem:
        stem, shorter = shorter, _ANY_AFFIX.sub("", shorter)
    return parent + slash + stem.lower()


def _masks_beside(files):
    """Mask paths by the name of the image in the same folder that they belong to."""
    masks = {}
    for key, paths in files.items():
        image = _without_mask_word(key)
        if image != key and image in files:
            masks.setdefault(image, []).extend(paths)
    return masks


def _pair_beside(files):
    masks = _masks_beside(files)
    taken = {path for paths in masks.values() for path in paths}
    words = re.compile(r"[_\-. ]")
    images = {}
    for key, paths in files.items():
        # "x_2ndHO" beside "x" and "x_1stHO" is no image, but a second annotation.
        starts = (key[: match.start()] for match in words.finditer(key))
        about = any(start in masks for start in starts)
        if key in masks or not (about or taken.issuperset(paths)):
            images[key] = paths
    return images, {key: masks.get(key, []) for key in images}


def _check_complete(image_folder, label_folder, images, paired):
    missing = [paths[0].name for key, paths in images.items() if not paired[key]]
    if missing:
        masks = (path for paths in image_files(label_folder).values() for path in paths)
        some = next(masks, None)
        raise ImageError(
            image_folder,
            f"a mask in {label_folder} for each image, of the same name",
            f"{len(missing)} of {len(images)} images without: {', '.join(missing[:3])}"
            + (f"; a mask is called {some.name}" if some else "; no masks at all"),
            "Add the masks, or move these images away (`predict` needs no masks)",
        )


def _unambiguous(images, paired):
    """Sorted (name, image file, mask file); each file once."""
    for key in images:
        for what, paths in (("image", images[key]), ("mask", paired[key])):
            if len(paths) > 1:
                raise ImageError(
                    paths[0],
                    f"one {what} for the name {key}",
                    " and ".join(path.name for path in paths),
                    "Move those that are not meant out of the folder",
                )
    pairs = [(key, images[key][0], paired[key][0]) for key in sorted(images)]
    owner = {}
    for key, _, mask in pairs:
        if owner.setdefault(mask, key) != key:
            raise ImageError(
                mask,
                "a mask of one image",
                f"two images that it could belong to: {owner[mask]} and {key}",
                "Give mask and image the same name",
            )
    return pairs
