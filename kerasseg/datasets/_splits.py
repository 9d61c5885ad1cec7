"""Samples of a split: from folders or lists of names, else by rule. Private."""

import concurrent.futures
import os
import pathlib
import re

from kerasseg.datasets._by_rule import select_by_hash
from kerasseg.datasets._layout import (
    IMAGE_FOLDERS,
    LABEL_FOLDERS,
    SPLITS,
    find_folders,
    pair_files,
)
from kerasseg.images import ImageError
from kerasseg.names import bounded, nearest

# The last is that of Pascal VOC.
_LISTS = ("{}.txt", "splits/{}.txt", "ImageSets/Segmentation/{}.txt")
MAX_LIST_BYTES, MAX_LINE = 2**26, 4096


def find_samples(root, split, val_fraction, kinds_of=None):
    """The samples of a split, and what `Samples.splits` is of them.

    Args:
        root: pathlib.Path.
        split: None for all, or a name.
        val_fraction, kinds_of: where the folder has no splits, see `select_by_hash`;
            `kinds_of` is a function from a mask file to the set of classes in it.

    Returns:
        (list of (name, image file, mask file), sorted by name; tuple or None).

    Raises:
        ImageError: if there are none, or not exactly one mask for each image.
    """
    if split is None:
        every = find_all(root)
        return [entry[:3] for entry in every], given_splits(None, [x[3] for x in every])
    return _samples_of(root, split, val_fraction, kinds_of), None


def _samples_of(root, split, val_fraction, kinds_of):
    splits = _split_folders(root, split)
    if split in splits and (split != "train" or "val" in splits):
        return pair_files(*splits[split])
    if split in ("train", "val") and "train" in splits:  # train and test, without val
        found = pair_files(*splits["train"])
        kinds = kinds_of and kinds_in(kinds_of, [mask for _, _, mask in found])
        return select_by_hash(root, split, found, val_fraction, kinds)
    folders = find_folders(root)
    lists = _split_lists(root, split)
    known = list(dict.fromkeys([*splits, *lists]))
    if split not in lists and known:
        raise _unknown_split(root, split, known)
    if folders is None:
        raise _no_layout(root)
    found = pair_files(*folders)
    if split in lists:
        return _select_listed(lists[split], found)
    if split in ("train", "val"):
        kinds = kinds_of and kinds_in(kinds_of, [mask for _, _, mask in found])
        return select_by_hash(root, split, found, val_fraction, kinds)
    raise _unknown_split(root, split, ["train", "val"])


def find_all(root):
    """(name, image file, mask file, split) of all samples, sorted by name.

    The split is None where the folder gives none. Where the samples of splits have
    folders of their own and one name in two of them, names begin with the split.

    Raises:
        ImageError: as `find_samples`.
    """
    splits, folders = _split_folders(root, None), find_folders(root)
    parts = {split: pair_files(*found) for split, found in splits.items()}
    if folders:
        found = pair_files(*folders)
        sides = {image: split for split in parts for _, image, _ in parts[split]}
        lists = {} if sides else _split_lists(root, None)
        for split, file in lists.items():
            sides |= {image: split for _, image, _ in _select_listed(file, found)}
        return [(*entry, sides.get(entry[1])) for entry in found]
    if not parts:
        raise _no_layout(root)
    every = [(*entry, split) for split in parts for entry in parts[split]]
    if len({name for name, *_ in every}) < len(every):
        every = [(f"{split}/{name}", *files, split) for name, *files, split in every]
    return sorted(every)


def given_splits(split, sides):
    """`Samples.splits` of samples: None where there are fewer than two.

    Args:
        split: None for all, as readers take it.
        sides: split of each sample by its own name, or None.
    """
    names = tuple(side and usual(side) for side in sides)
    return names if split is None and len({*names} - {None}) > 1 else None


def all_masks(root, split):
    """Mask files of all splits: the usual ones, and `split` by its own name."""
    folders = list(_split_folders(root, split).values())
    flat = find_folders(root)
    found = [pair_files(*f, incomplete=True) for f in (folders or [flat])]
    return [mask for samples in found for _, _, mask in samples]


def _split_folders(root, split):
    names = dict.fromkeys([*SPLITS, *([split] if split else [])])
    found = {name: find_folders(root, name) for name in names}
    return {name: folders for name, folders in found.items() if folders}


def _split_lists(root, split):
    found = {}
    for name in dict.fromkeys([*SPLITS, *([split] if split else [])]):
        for alias in SPLITS.get(name, (name,)):
            for pattern in _LISTS:
                file = root / pattern.format(alias)
                if file.is_file():
                    found.setdefault(name, file)
    return found


def listed_sides(root):
    """{name: split} of all that lists of names say, whether the files are there."""
    return {
        name: split
        for split, file in _split_lists(root, None).items()
        for line in read_lines(file)
        for name in _possible_names(line)
    }


def _unknown_split(root, split, known):
    return ImageError(
        root,
        f"a split of this folder: {', '.join(known)}",
        f"split={split!r}",
        # ImageError ends the sentence itself.
        f"Give one of them.{nearest(split, known)}".rstrip(".?"),
    )


def _no_layout(root):
    with os.scandir(root) as entries:
        held = sorted(e.name + "/" * e.is_dir() for e in entries)
    return ImageError(
        root,
        f"a folder of images ({', '.join(IMAGE_FOLDERS)}) and one of masks "
        f"({', '.join(LABEL_FOLDERS)}), or masks named like x_mask.png beside x.jpg",
        f"{', '.join(held[:8]) or 'nothing in it'}{', ...' * (len(held) > 8)}",
        "Name the two folders images and labels",
    )


def read_lines(file):
    """Lines of a list of names, one by one, without white space and empty ones.

    Raises:
        ImageError: if it is no text, or too long for a list.
    """
    required = f"a list of names of at most {MAX_LIST_BYTES} bytes"
    if (num := file.stat().st_size) > MAX_LIST_BYTES:
        raise ImageError(file, required, f"{num} bytes", "Shorten it")
    try:
        # "-sig": editors on Windows put a byte order mark before the first name.
        with open(file, encoding="utf-8-sig") as stream:
            yield from filter(None, map(str.strip, stream))
    except UnicodeDecodeError as error:
        fix = "Save it as text (UTF-8)"
        raise ImageError(file, required, f"no text: {error}", fix) from error


def _select_listed(file, found):
    by_name = {entry[0]: entry for entry in found}
    chosen, unknown, num_unknown = {}, [], 0
    for line in read_lines(file):
        meant = (name for name in _possible_names(line) if name in by_name)
        name = next(meant, None)
        if name is None:
            unknown, num_unknown = [*unknown, line][:3], num_unknown + 1
        else:
            chosen[name] = by_name[name]
    if unknown or not chosen:
        listed = ", ".join(bounded(line, 200) for line in unknown)
        raise ImageError(
            file,
            f"names of images with masks, such as {found[0][0]}",
            f"{num_unknown} others: {listed}" if unknown else "none",
            "Correct the list or add the files",
        )
    return [chosen[name] for name in sorted(chosen)]


def _possible_names(line):
    """Names that a line like "images/train/a.png a_mask.png" may stand for."""
    line = line[:MAX_LINE]
    for text in (line, line.split()[0]):
        path = pathlib.PurePosixPath(text)
        for start in range(len(path.parts)):
            tail = pathlib.PurePosixPath(*path.parts[start:])
            yield tail.as_posix()
            if tail.name:  # "/" has none
                yield tail.with_suffix("").as_posix()


def choose_given(root, split, entries, split_of):
    """The entries of a split that the data set itself gives.

    Args:
        root: for messages.
        split: "train", "val", "test", or the name of one that is there.
        entries: list of anything.
        split_of: function from an entry to the name of its split.

    Raises:
        ImageError: if there is no such split; names those that there are.
    """
    known = list(dict.fromkeys(filter(None, map(split_of, entries))))
    names = {alias: name for name in known for alias in (name.lower(), usual(name))}
    for alias in (split, *SPLITS.get(split, ())):
        if alias in names:
            return [entry for entry in entries if split_of(entry) == names[alias]]
    raise _unknown_split(root, split, known)


def lacks_val(split, known):
    """Whether a split is to be made from "train", for want of a "val" among `known`."""
    found = {usual(name) for name in known if name}
    return split in ("train", "val") and "train" in found and "val" not in found


def usual(name):
    """The name "train", "val" or "test" for a split's own, such as "validation".

    Example:
        >>> usual("Valid"), usual("train2017"), usual("fold1")
        ('val', 'train', 'fold1')
    """
    lower = re.sub(r"\d{4}$", "", name.lower())
    for split, aliases in SPLITS.items():
        if lower in aliases:
            return split
    return name.lower()


def kinds_in(kinds_of, masks):
    """Classes in each of the masks; none in one that cannot be read.

    Whoever reads its sample learns what is wrong with it.
    """

    def kinds_or_none(mask):
        try:
            return kinds_of(mask)
        except (ValueError, OSError):
            return set()

    # Decoding runs outside Python's lock, so that threads help.
    with concurrent.futures.ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        return list(pool.map(kinds_or_none, masks))
