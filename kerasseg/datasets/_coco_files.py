"""Annotation files of COCO and their image folders, as tools arrange them. Private."""

import contextlib
import json
import pathlib
import re

from kerasseg.datasets import _sniff
from kerasseg.datasets._splits import SPLITS, choose_given, lacks_val, usual
from kerasseg.datasets.samples import join
from kerasseg.images import ImageError, check_folder

NAME = "instances.json"
PEEK = 20  # names of images that tell their folder
MOST_FOLDERS = 200


def candidates(root, form="coco"):
    """Annotation files of a folder."""
    files = _sniff.json_files(root, form)
    # COCO's own folder has captions and keypoints of the same images, too.
    return [path for path in files if path.stem.startswith("instances")] or files


def find(root, split, given=None, form="coco"):
    """The annotation file of a split, and whether the split is still to be made.

    Raises:
        ImageError: if there is none, or several could be meant.
    """
    if given is not None:
        for path in (root / given, pathlib.Path(given)):
            if path.is_file():
                return path, True
        raise ImageError(
            root / given, "an annotation file", "no such file", "Check the path"
        )
    if form == "coco" and (root / NAME).is_file():
        return root / NAME, True
    files = candidates(root, form)
    if not files:
        raise ImageError(
            root,
            "an annotation file, COCO's JSON",
            "none",
            "Export it into this folder",
        )
    if len(files) == 1:
        return files[0], True
    places = {path: split_of(root, path) for path in files}
    listed = ", ".join(str(path.relative_to(root)) for path in files[:4])
    if split is None or None in places.values():
        raise ImageError(
            root,
            "one annotation file" + ", or a file for each split" * (split is not None),
            f"{len(files)}: {listed}",
            "Say which: --set data.annotations=FILE, or give a split: --split train",
        )
    by_rule = lacks_val(split, places.values())
    chosen = choose_given(root, "train" if by_rule else split, files, places.get)
    if len(chosen) > 1:
        raise ImageError(
            root,
            f"one annotation file for {split}",
            ", ".join(str(path.relative_to(root)) for path in chosen[:4]),
            "Say which: --set data.annotations=FILE",
        )
    return chosen[0], by_rule


def sides(root, form="coco"):
    """Splits of which each has an annotation file of its own; [] where they have not.

    Of two files that belong to one split none is meant before the other.
    """
    files = candidates(root, form)
    if (form == "coco" and (root / NAME).is_file()) or len(files) < 2:
        return []
    found = {split_of(root, path) for path in files}
    whole = None not in found and len(found) == len(files)
    return [split for split in SPLITS if split in found] if whole else []


def split_of(root, path):
    """Split that an annotation file is of by its folder or its name, or None."""
    words = [*path.relative_to(root).parts[:-1], *re.split(r"[_\-. ]", path.stem)]
    found = [usual(word) for word in words if usual(word) in SPLITS]
    return found[0] if found else None


def image_folder(root, file, given=None):
    """The folder that the names of images in an annotation file begin in.

    Raises:
        ImageError: if none of the first names lies in any folder.
    """
    if given is not None:
        folder = root / given
        check_folder(folder)
        return folder
    text = _sniff.ends_of(file)
    names = re.findall(r'"file_name"\s*:\s*"((?:[^"\\]|\\.)+)"', text)[:PEEK]
    # As COCO: instances_train2017.json with train2017/.
    word = re.sub(r"^(instances|panoptic|annotations?)_", "", file.stem)
    folders = [root / "images", file.parent / "images", file.parent, root]
    folders += [root / word, root / "images" / word, pathlib.Path()]
    counts = {folder: _count(folder, names) for folder in folders}
    if max(counts.values()) < len(names):  # others may hold more of them
        others = {path.parent for path in _sniff.images_of(root)}
        for folder in sorted(others - {*folders})[:MOST_FOLDERS]:
            counts[folder] = _count(folder, names)
    if any(counts.values()):
        return max(counts, key=counts.get)  # the first of equals
    check_folder(root / "images")
    return root / "images"


def _count(folder, names):
    return folder.is_dir() and sum(_is_file(folder, name) for name in names)


def _is_file(folder, name):
    """Whether a name in a JSON file is that of a file in a folder."""
    with contextlib.suppress(ValueError):
        name = json.loads(f'"{name}"')  # "\u00fc", and slashes with a backslash before
    name = name.replace("\\", "/")
    if len(name) > 4096:  # longer than any path
        return False
    try:
        if name.startswith("/") or name[1:3] == ":/":  # of another machine
            parts = pathlib.PurePosixPath(name).parts[1:]
            ends = ("/".join(parts[start:]) for start in range(len(parts)))
            return ".." not in parts and any((folder / x).is_file() for x in ends)
        above, _, inner = name.partition("/")
        if above == folder.name and inner:  # named by the folder that it lies in
            name = inner
        path = folder / name
        return path.resolve().is_relative_to(folder.resolve()) and path.is_file()
    except (OSError, ValueError):
        return False


def join_sides(root, parts):
    """`samples.join` of the files of all splits, whose categories must be the same."""
    try:
        return join(parts)
    except ImageError:
        raise
    except ValueError as error:
        received = str(error).partition("Received: ")[2].partition(" Fix: ")[0]
        raise ImageError(
            root,
            f"the same categories in the files of {', '.join(parts)}",
            received,
            "Correct the files, or read one of the splits",
        ) from error
