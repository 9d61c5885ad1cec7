"""Pairs of images and masks in folders as people name them. Private."""

import os
import re

from kerasseg.images import EXTENSIONS, ImageError
from kerasseg.images.listing import (
    IMAGE_FOLDERS,
    IMAGE_WORDS,
    LABEL_FOLDERS,
    MASK_WORDS,
    affix,
    image_files,
    masks_beside,
    masks_in_twin_folders,
    without_mask_word,
)

SPLITS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}

MANUAL = "1st_manual"  # DRIVE's folder of the truth
_YEAR = re.compile(r"(?<=[a-z])(19|20)\d\d(?=/|$)")
# DRIVE calls 21_training the image of 21_manual1.
_ANY_AFFIX = affix(f"{MASK_WORDS} {IMAGE_WORDS} training test")


def find_folders(root, split=None):
    """(image folder, mask folder) of a split, or of a folder without splits.

    Returns:
        The two paths, the same one twice where masks lie beside their images, or None.

    Raises:
        ImageError: if several folders could be meant.
    """
    found = _pair_of_folders(root, split)
    has_splits = found is None and split is None
    has_splits = has_splits and any(_pair_of_folders(root, one) for one in SPLITS)
    if found is None and not has_splits:  # train/city/images beside train/city/masks
        known = _known(root)
        for alias in () if _is_drive(known) else SPLITS.get(split, (split,)):
            folder = root if split is None else known.get(alias.lower())
            if folder and masks_in_twin_folders(image_files(folder)):
                return folder, folder
    return found


def _pair_of_folders(root, split):
    """As `find_folders`, of one folder of images and one of masks."""
    known = _known(root)
    if split is None:
        layouts = [("{kind}", "{kind}")]
    else:
        apart = [f"{{split}}{mark}{{kind}}" for mark in ("_", "", "-")]
        apart += [f"{{kind}}{mark}{{split}}" for mark in ("_", "-")]
        paired = ["{split}/{kind}", "{kind}/{split}", *apart]
        layouts = [(layout, layout) for layout in paired]
        # Images in train/ beside masks in train_masks/, as in Carvana.
        layouts += [("{split}", layout) for layout in apart]
    label_kinds = (MANUAL,) if _is_drive(known) else LABEL_FOLDERS
    for alias in SPLITS.get(split, (split,)):
        for image_layout, label_layout in layouts:
            images = _named(root, known, image_layout, alias, IMAGE_FOLDERS)
            labels = _named(root, known, label_layout, alias, label_kinds)
            if images and labels:
                return images, labels
        beside = root if split is None else known.get(alias.lower())
        if beside and (masks_beside(x := image_files(beside)) or _twins(x)):
            return beside, beside
    return None


def _is_drive(known):
    """Whether mask/ is DRIVE's field of view, in the folders without truth, too."""
    return any(name.rpartition("/")[2] == MANUAL for name in known)


def _known(root):
    """Folders by their lower-case path; `train2017` as `train`, where it is the one."""
    folders = {x.relative_to(root).as_posix().lower(): x for x in _folders(root)}
    plain = {}
    for name, path in folders.items():
        plain.setdefault(_YEAR.sub("", name), []).append(path)
    alone = {name: paths[0] for name, paths in plain.items() if len(paths) == 1}
    return alone | folders


def descend(root):
    """The first folder with images and masks, where others are wrapped around it."""
    return _descend(root, _pair_of_folders) or _descend(root, find_folders) or root


def _descend(root, find):
    folder = root
    for _ in range(3):
        if any(find(folder, split) for split in (None, *SPLITS)):
            return folder
        folders = _subfolders(folder)
        with os.scandir(folder) as entries:
            if len(folders) != 1 or any(_is_image(entry) for entry in entries):
                return None
        folder = folders[0]
    return None


def _is_image(entry):
    suffix = os.path.splitext(entry.name)[1].lower()
    return entry.name[0] != "." and suffix in EXTENSIONS and entry.is_file()


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


def pair_files(image_folder, label_folder, *, incomplete=False):
    """(name, image file, mask file) of each image, sorted by name.

    Names are paths inside the image folder without the extension. A mask has the same
    name, or the same after removing words like `_mask` or `_leftImg8bit`. With
    `incomplete`, images without a mask are left out.

    Raises:
        ImageError: if an image has no mask, or a name two files.
    """
    if image_folder == label_folder:
        images, paired = pair_beside(image_files(image_folder))
    else:
        images, labels = image_files(image_folder), image_files(label_folder)
        paired = match(images, labels)
        if not any(paired.values()):
            paired = _match_in_other_subfolders(images, labels)
    if incomplete:
        images = {key: paths for key, paths in images.items() if paired[key]}
    elif not images:
        raise ImageError(image_folder, "images", "a folder without", "Check the path")
    else:
        _check_complete(image_folder, label_folder, images, paired)
    return _unambiguous(images, paired)


def match(images, labels):
    """Paths of the masks of each image: by name, then by ever looser comparison."""
    paired = {}
    for level in (lambda key: key, without_mask_word, _without_any_word):
        by_name = {}
        for key, paths in labels.items():
            by_name.setdefault(level(key), []).extend(paths)
        for key in images:
            if not paired.get(key):
                loose = key if level is without_mask_word else level(key)
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
    found = match({name: images[key] for key, name in names.items()}, flat)
    return {key: found[name] for key, name in names.items()}


def _without_any_word(key):
    parent, slash, stem = key.rpartition("/")
    while os.path.splitext(stem)[1].lower() in EXTENSIONS:  # x.jpg.png of x.jpg
        stem = os.path.splitext(stem)[0]
    shorter = _ANY_AFFIX.sub("", stem)
    while shorter != stem:
        stem, shorter = shorter, _ANY_AFFIX.sub("", shorter)
    return parent + slash + stem.lower()


def _twins(files):
    """{name: [mask]} where each is that of a JPEG photograph and a lossless file."""
    masks = {}
    for key, paths in files.items():
        masks[key] = [p for p in paths if p.suffix.lower() not in (".jpg", ".jpeg")]
        if len(paths) != 2 or len(masks[key]) != 1:
            return {}
    return masks


def pair_beside(files):
    """Images of a folder, and the masks of each beside them, both by name."""
    if twins := _twins(files):
        images = {key: [p for p in files[key] if p not in twins[key]] for key in files}
        return images, twins
    masks = masks_beside(files) or masks_in_twin_folders(files)
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
