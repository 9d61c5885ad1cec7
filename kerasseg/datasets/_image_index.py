"""Image files that annotations name, wherever the names begin. Private."""

import collections
import os
import pathlib
import re
import urllib.parse

from kerasseg.datasets import _sniff
from kerasseg.datasets._json import is_text
from kerasseg.images import EXTENSIONS, ImageError


class ImageIndex:
    """The image files below a folder, found by names that annotation files give.

    A name may be relative to the annotation file, to the data set, to an images folder
    or to the shell, or begin on another machine: the longest common end then tells.

    Args:
        root: folder of the data set.
    """

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.files = _sniff.images_of(root)
        self._by_name = collections.defaultdict(list)
        self._by_stem = collections.defaultdict(list)
        for path in self.files:
            self._by_name[path.name.lower()].append(path)
            self._by_stem[path.stem.lower()].append(path)

    def find(self, given, source):
        """Path of the image that `source` calls `given`; it may not exist.

        Raises:
            ImageError: if it is no name, or could be several files.
        """
        if not is_name(given):
            raise ImageError(
                source, "the name of an image", f"{given!r}"[:80], "Add it"
            )
        name = _plain(given)
        for folder in (source.parent, self.root, pathlib.Path()):
            path = folder / name
            # Names from files never lead out of the data and of the shell's folder.
            inside = (self.root.resolve(), pathlib.Path.cwd())
            if path.suffix.lower() in EXTENSIONS and os.path.isfile(path):
                where = path.resolve()
                if any(where.is_relative_to(parent) for parent in inside):
                    return path
        tail = pathlib.PurePosixPath(name).parts
        found = self._by_name.get(tail[-1].lower(), [])
        if not found:  # files that were converted, or names without extension
            stem = tail[-1].lower()
            found = self._by_stem.get(stem, []) or self._by_stem.get(
                pathlib.PurePosixPath(stem).stem, []
            )
        best = max((_common(path, tail) for path in found), default=0)
        found = [path for path in found if _common(path, tail) == best]
        if len(found) > 1:  # the one that lies nearest to the annotations
            near = [_shared(path, source) for path in found]
            found = [p for p, num in zip(found, near) if num == max(near)]
        if len(found) > 1:
            listed = " and ".join(str(p.relative_to(self.root)) for p in found[:3])
            raise ImageError(
                source,
                "names that belong to one image each",
                f"{given!r}, which could be {listed}",
                "Give its folder in the name, or move the other file away",
            )
        return found[0] if found else self.root / name

    def beside(self, source):
        """Images of the same name as an annotation file, those beside it first."""
        found = self._by_stem.get(source.stem.lower(), [])
        return [p for p in found if p.parent == source.parent] or found


def is_name(given):
    """Whether a value of an annotation file can be the name of a file."""
    return is_text(given) and "\0" not in (name := _plain(given)) and name != ""


def _plain(given):
    """A name without what web tools put around it."""
    name = given.strip().replace("\\", "/")
    if match := re.search(r"[?&]d=([^&]+)", name):  # Label Studio's local files
        name = match[1]
    name = re.sub(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/]*", "", name)
    name = re.sub(r"^[A-Za-z]:", "", name)
    if "%" in name:
        name = urllib.parse.unquote(name)
    parts = pathlib.PurePosixPath(name.lstrip("/")).parts
    return "/".join(part for part in parts if part not in ("..", "."))


def _common(path, tail):
    """Number of equal parts at the ends of a path and of a name."""
    num = 0
    for one, other in zip(reversed(path.parts), reversed(tail)):
        if one.lower() != other.lower():
            break
        num += 1
    return num


def _shared(path, other):
    """Number of folders that two paths have in common from the root on."""
    return sum(a == b for a, b in zip(path.parents[::-1], other.parents[::-1]))


def names_of(files, root):
    """Unique names without extension: paths below the folder that all have in common.

    Folders called `images` say nothing and are left out, where names stay different.
    """
    inside = all(path.is_relative_to(root) for path in files)
    relative = [path.relative_to(root) if inside else path for path in files]
    full = [path.with_suffix("").as_posix() for path in relative]
    short = [re.sub(r"(^|/)(images|imgs|JPEGImages)/", r"\1", name) for name in full]
    for names in (short, full):
        if len({*names}) == len(names):
            return names
    return [path.as_posix() for path in relative]
