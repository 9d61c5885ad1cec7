"""Samples of a split: from folders, lists of names, or by rule. Private."""

import collections
import concurrent.futures
import hashlib
import os
import pathlib
import re

from kerasseg.datasets import _near
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
    """(name, image file, mask file) of the samples of a split, sorted by name.

    Args:
        root: pathlib.Path.
        split: None for all, or a name.
        val_fraction, kinds_of: where the folder has no splits, see `select_by_hash`;
            `kinds_of` is a function from a mask file to the set of classes in it.

    Raises:
        ImageError: if there are none, or not exactly one mask for each image.
    """
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
    if split not in lists and (known if split else splits and not folders):
        raise _unknown_split(root, split, known)
    if folders is None:
        raise _no_layout(root)
    found = pair_files(*folders)
    if split in lists:
        return _select_listed(lists[split], found)
    if split in ("train", "val"):
        kinds = kinds_of and kinds_in(kinds_of, [mask for _, _, mask in found])
        return select_by_hash(root, split, found, val_fraction, kinds)
    if split is not None:
        raise _unknown_split(root, split, ["train", "val"])
    return found


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
    if split is None:  # of the command that takes all, `convert`
        return ImageError(
            root,
            f"a split of this folder: {', '.join(known)}",
            "split=None",
            f"Give one of them, each into a folder of its own: --split {known[0]}",
        )
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


def select_by_hash(root, split, found, val_fraction, kinds=None, groups=None):
    """The part of `found`, tuples that begin with a name, that is "train" or "val".

    Args:
        root: for messages.
        split: "train" or "val".
        found: list of tuples.
        val_fraction: share of "val"; a name belongs there if its hash is below it.
        kinds: set of the classes in each sample. Where one side has less than half of
            its share of a class, samples with it change sides in the order of their
            hash, so that a class of two samples or more is on both.
        groups: a key for each sample, None for one of its own; samples of one key stay
            on one side, which the hash of the key chooses. Near duplicates have one key
            where the second of each tuple is the path of the image, up to 10,000.

    Raises:
        ImageError: if there are fewer than two.
    """
    groups = _with_near(found, groups)
    if groups is not None and any(key is not None for key in groups):
        return _select_groups(root, split, found, val_fraction, kinds, groups)
    if len(found) < 2:
        raise ImageError(
            root,
            "two samples or more to make a train and a val split",
            f"{len(found)}",
            "Use split=None",
        )
    ranks = {entry[0]: hash_fraction(entry[0]) for entry in found}
    val = {name for name, rank in ranks.items() if rank < val_fraction}
    if len(val) in (0, len(found)):  # of few names all may fall on one side
        val = {min(ranks, key=ranks.get)}
    if kinds is not None:
        names = [entry[0] for entry in found]
        val = _stratified(val, dict(zip(names, kinds)), ranks, val_fraction)
    return [entry for entry in found if (entry[0] in val) == (split == "val")]


def _with_near(found, groups):
    """Groups, and near duplicates where entries name their image files second."""
    with_files = all(
        len(entry) > 1 and isinstance(entry[1], pathlib.Path) for entry in found
    )
    if not with_files or (groups is not None and None not in groups):
        return groups
    near = _near.keys_of([entry[1] for entry in found], [entry[0] for entry in found])
    if groups is None:
        return near
    return [one if own is None else own for one, own in zip(near, groups)]


def _select_groups(root, split, found, val_fraction, kinds, groups):
    """As `select_by_hash`, of whole groups."""
    keys = [entry[0] if key is None else str(key) for entry, key in zip(found, groups)]
    units = {key: (key,) for key in keys}
    if len(units) < 2:
        raise ImageError(
            root,
            "two groups of samples or more to make a train and a val split",
            f"one, {keys[0]!r}",
            "Give another pattern of groups, or split=None",
        )
    classes = None
    if kinds is not None:
        united = {key: set() for key in units}
        for key, some in zip(keys, kinds):
            united[key] |= some
        classes = list(united.values())
    chosen = select_by_hash(root, split, list(units.values()), val_fraction, classes)
    wanted = {key for (key,) in chosen}
    return [entry for entry, key in zip(found, keys) if key in wanted]


def _stratified(val, kinds, ranks, val_fraction):
    """Names of "val", changed such that every class is on both sides."""
    members = collections.defaultdict(list)
    for name, classes in kinds.items():
        for class_id in classes:
            members[class_id].append(name)
    val = set(val)
    shares = {True: val_fraction, False: 1 - val_fraction}
    least = {
        (class_id, side): max(1, round(share * len(names) / 2))
        for class_id, names in members.items()
        for side, share in shares.items()
        if len(names) > 1
    }
    held = {
        place: sum((name in val) == place[1] for name in members[place[0]])
        for place in least
    }
    # The rarest class first: it has the least choice.
    for class_id, side in sorted(least, key=lambda p: (len(members[p[0]]), not p[1])):
        order = sorted(members[class_id], key=ranks.get, reverse=not side)
        for name in order:
            if held[class_id, side] >= least[class_id, side]:
                break
            own = [c for c in kinds[name] if (c, side) in least]
            # Not where it would leave another class without its least on that side.
            if (name in val) == side or any(
                held[c, not side] <= least[c, not side] for c in own
            ):
                continue
            val.symmetric_difference_update({name})
            for c in own:
                held[c, side] += 1
                held[c, not side] -= 1
    return val


def hash_fraction(name):
    """The SHA-256 of a name as a fraction of its range: the same on every machine."""
    # Not Python's hash(), which differs from process to process.
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
