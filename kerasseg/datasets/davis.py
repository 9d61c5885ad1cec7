"""DAVIS: films with the masks of their objects in every frame."""

import pathlib

import numpy as np

from kerasseg.datasets import _pairs, _sniff
from kerasseg.datasets._forms import reads
from kerasseg.datasets._pairs import Pair
from kerasseg.images import ImageError, check_folder, find_images, read_image
from kerasseg.images.decode import decode
from kerasseg.names import bounded, nearest

# The benchmark is scored at 480p, which is also the fastest to read.
RESOLUTIONS = ("480p", "1080p", "Full-Resolution")
PARTS = ("first", "rest")
# The set of 2016 calls the folder of its lists by the resolution.
YEARS = ("2017", "2016", "480p", "1080p")


def _base(root):
    return _pairs.find_parent(root, "JPEGImages", "Annotations")


def _found(root):
    base = _base(root)
    resolution = base and _resolution(base, None)
    if not resolution:
        return None
    frames = _sniff.images_of(base / "Annotations" / resolution)
    if resolution == ".":
        return "films in JPEGImages and Annotations" if frames else None
    return f"JPEGImages/{resolution} and Annotations/{resolution}" if frames else None


@reads("DAVIS", _found)
def davis(root, split=None, *, film=None, resolution=None, val_fraction=0.2):
    """Frames of films, each with its objects; the films stay on one side of a split.

    `JPEGImages/480p/FILM/00000.jpg` has its masks in `Annotations/480p/FILM/00000.png`:
    0 and 255 in the set of 2016, numbers of objects in that of 2017. YouTube-VOS has no
    folder of the resolution. Frames without a
    mask, as the test films have them, are left out and counted.

    Args:
        root: folder, or one above it.
        split: None for all; "train" and "val" as the lists in `ImageSets/2017` or
            `ImageSets/2016` say, else by rule; "first" for the first frame of each film
            and "rest" for all others, the parts of the semi-supervised benchmark.
        film: name of the only film to read, or None for all; "-NAME" for all others.
        resolution: name of the folder, such as "480p", or None for the first there is.
        val_fraction: share of the films in "val" where there are no lists.

    Returns:
        Samples as those of `mask_folders`, in the classes "background" and "object".

    Raises:
        ImageError: if files are missing or broken, or there is no such film.

    Reference: Perazzi et al., 2016, https://doi.org/10.1109/CVPR.2016.85
    """
    root = pathlib.Path(root)
    check_folder(root)
    base = _base(root)
    name = base and _resolution(base, resolution)
    if not name:
        required = f"JPEGImages/{resolution or RESOLUTIONS[0]} and its Annotations"
        raise ImageError(root, required, "not both", "Check the path")
    images, masks = base / "JPEGImages" / name, base / "Annotations" / name
    found = {
        path.relative_to(masks).with_suffix("").as_posix(): path
        for path in _sniff.images_of(masks)
    }
    lists, pairs, num = _lists(base), [], 0
    for path in _sniff.images_of(images):
        key = path.relative_to(images).with_suffix("").as_posix()
        own = key.rpartition("/")[0]
        num += key not in found
        if key in found:
            pairs.append(Pair(key, path, found[key], lists.get(own), own))
    if film is not None:
        pairs = _of_film(base, film, pairs)
    if split in PARTS:
        firsts = {pair.group: pair.name for pair in reversed(pairs)}
        wanted = split == "first"
        pairs = [p for p in pairs if (firsts[p.group] == p.name) == wanted]
        split = None
    return _pairs.make_samples(
        base,
        split,
        pairs,
        _read,
        ("background", "object"),
        val_fraction=val_fraction,
        notes=(f"Left out: frames without a mask: {num}.",) if num else (),
    )


def _of_film(base, film, pairs):
    """The frames of one film, or of all but one."""
    name, leave_out = film.removeprefix("-"), film.startswith("-")
    names = sorted({pair.group for pair in pairs})
    if name not in names:
        known = bounded(", ".join(names), 200)
        fix = f"Give one of them.{nearest(name, names)}".rstrip(".?")
        raise ImageError(base, f"a film: {known}", f"film={film!r}", fix)
    return [pair for pair in pairs if (pair.group == name) != leave_out]


def _resolution(base, wanted):
    for name in (wanted,) if wanted else RESOLUTIONS:
        if all((base / kind / name).is_dir() for kind in ("JPEGImages", "Annotations")):
            return name
    return None if wanted or not _has_films(base) else "."


def _has_films(base):
    """Whether films lie in both folders at once, as those of YouTube-VOS do."""
    films = [p for p in sorted((base / "Annotations").glob("*")) if p.is_dir()]
    return bool(films) and all(
        (base / "JPEGImages" / film.name).is_dir() and find_images(film)
        for film in films[:8]
    )


def _lists(base):
    """{film: split}; {} without two lists. Lines are films, or pairs of files."""
    for year in YEARS:
        found = {}
        for split in ("train", "val"):
            path = base / "ImageSets" / year / f"{split}.txt"
            for line in _pairs.lines_of(path) if path.is_file() else ():
                first = pathlib.PurePosixPath(line.split()[0])
                # 2016 lists pairs of files, 2017 names of films.
                found[first.parent.name if first.suffix else first.name] = split
        if len({*found.values()}) == 2:
            return found
    return {}


def _read(pair):
    image = read_image(pair.image)
    numbers, _ = decode(pair.mask, as_ids=True)
    if numbers.ndim == 3:  # some files of 2016 are grey in three channels
        numbers = numbers.max(2)
    _pairs.check_size(pair.image, image, pair.mask, numbers)
    ids, maps = np.unique(numbers, return_inverse=True)
    # Renumbered: an object may be missing in a frame, ids of a sample go from 1 on.
    maps = (maps.reshape(numbers.shape) + (ids[0] != 0)).astype("int32")
    num = int(maps.max())
    return {
        "image": image,
        "label": (maps > 0).astype("int32"),
        "instances": maps[None],
        "classes": np.ones(num, "int32"),
        "crowd": np.zeros(num, bool),
    }
