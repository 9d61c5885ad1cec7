"""Pascal VOC: JPEGImages, SegmentationClass and ImageSets; CVAT's masks too."""

import functools
import pathlib
import re

import numpy as np

from kerasseg.datasets import _pairs
from kerasseg.datasets._annotations import read_text
from kerasseg.datasets._forms import reads
from kerasseg.datasets._pairs import Pair
from kerasseg.images import ImageError, check_folder, find_images, read_mask
from kerasseg.images.decode import decode
from kerasseg.images.palettes import VOID, palette

CLASSES = (
    *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car"),
    *("cat", "chair", "cow", "diningtable", "dog", "horse", "motorbike", "person"),
    *("pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
LABELMAP = "labelmap.txt"
LABEL_LINE = re.compile(
    r"([^:]+):\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*(?::|$)"
)
LISTS = "ImageSets/Segmentation"


def _base(root):
    return _pairs.find_parent(root, "SegmentationClass")


def _found(root):
    base = _base(root)
    if base is None or not find_images(base / "SegmentationClass"):
        return None
    return "SegmentationClass" + f" and {LABELMAP}" * (base / LABELMAP).is_file()


@reads("Pascal VOC", _found)
def voc(
    root, split=None, *, classes=None, values=None, ignore_label=255, val_fraction=0.2
):
    """Masks in the layout of Pascal VOC: palette indices, 255 on borders of objects.

    `SegmentationClass/NAME.png` belongs to `JPEGImages/NAME.jpg`. Palette files give
    their indices; files in full colour are read by VOC's own palette, or by the table
    of a `labelmap.txt`, "name:r,g,b::" in each line, as CVAT writes it. Where each
    image has a file in `SegmentationObject`, samples have instances. Images without a
    mask are left out and counted.

    Args:
        root: folder, or one above it (`VOCdevkit/VOC2012`).
        split: None for all; "train", "val" and others are lists in
            `ImageSets/Segmentation`, else by rule as in `folder`.
        classes: class names by id. Default: those of `labelmap.txt` or `classes.txt`;
            VOC's for files with the names of VOC (2007_000032); else as many as the
            masks use.
        values: as for `images.read_mask`, for masks that hold other numbers.
        ignore_label: id of pixels without a class, 255 in the files.
        val_fraction: share of the samples in "val" where there are no lists.

    Returns:
        Samples of `image` uint8 [H, W, 3] and `label` int32 [H, W], and of `instances`,
        `classes` and `crowd` as those of `coco`, if there are objects.

    Raises:
        ImageError: if files are missing or hold other colours.

    Reference: Everingham et al., 2010, https://doi.org/10.1007/s11263-009-0275-4
    """
    root = pathlib.Path(root)
    check_folder(root)
    base = _base(root)
    if base is None:
        raise ImageError(root, "SegmentationClass", "no such folder", "Check the path")
    masks = find_images(base / "SegmentationClass")
    images, folders = {}, ("JPEGImages", "images", "Images")
    for name in folders:
        if (base / name).is_dir():
            images |= _pairs.by_stem(find_images(base / name))
    pairs, lists = [], _lists(base, {mask.stem for mask in masks})
    for mask in masks:
        if mask.stem in images:
            place = lists.get(mask.stem)
            pairs.append(Pair(mask.stem, images[mask.stem], mask, place))
    lonely = [mask.name for mask in masks if mask.stem not in images]
    if lonely or not pairs:
        raise ImageError(
            base / "SegmentationClass",
            f"an image in {' or '.join(folders[:2])} for each mask, of the same name",
            f"{len(lonely)} of {len(masks)} masks without: {', '.join(lonely[:3])}",
            "Export with images, or put them there",
        )
    names, colors = _labelmap(base / LABELMAP)
    read_label = functools.partial(_read_label, colors, values, ignore_label)
    if classes is None:
        classes = names or _listed(base) or _guess(pairs, read_label, ignore_label)
    objects = base / "SegmentationObject"
    has_objects = all((objects / pair.mask.name).is_file() for pair in pairs)
    read = functools.partial(
        _read, read_label, objects if has_objects else None, ignore_label
    )
    num = len(images) - len(pairs)
    notes = (f"Left out: images without a mask: {num}.",) if num else ()
    if gone := sorted({*lists} - {pair.name for pair in pairs}):
        notes += (f"Left out: {len(gone)} listed names without a mask: {gone[0]}.",)
    listed = [color for color, class_id in colors.items() if class_id != ignore_label]
    return _pairs.make_samples(
        base,
        split,
        pairs,
        read,
        classes,
        val_fraction=val_fraction,
        ignore_label=ignore_label,
        colors=tuple(listed) if names and len(listed) == len(classes) else None,
        notes=notes,
    )


def _lists(base, stems):
    """{name: split} of the lists, if there are two or more that share no name."""
    found = {}
    for path in sorted((base / LISTS).glob("*.txt")):
        # Those that hold the others.
        if path.stem not in ("default", "trainval", "all"):
            lines = _pairs.lines_of(path)
            found[path.stem] = [_listed_stem(line, stems) for line in lines]
    if len(found) < 2:
        return {}
    known = {}
    for split, names in found.items():
        for name in names:
            if known.setdefault(name, split) != split:
                raise ImageError(
                    base / LISTS,
                    "lists of splits that share no name",
                    f"{name} in {known[name]}.txt and in {split}.txt",
                    "Correct the lists",
                )
    return known


def _listed_stem(line, stems):
    """Name that a line means: itself, or what stands before a number or a mask."""
    first = line.rsplit(maxsplit=1)[0]
    for text in (line, first, line.split()[0]):  # names have spaces and dots
        name = pathlib.PurePosixPath(text).name
        for stem in (name, pathlib.PurePosixPath(name).stem):
            if stem in stems:
                return stem
    return line


def _labelmap(path):
    """Class names, and {color: class id}; () and VOC's colours without the file."""
    if not path.is_file():
        colors = {tuple(c): i for i, c in enumerate(palette(21).tolist())}
        return (), colors | {VOID: 255}
    names, colors = {}, {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip() or line.lstrip()[0] == "#":
            continue
        match = LABEL_LINE.match(line)
        color = tuple(map(int, match.groups()[1:])) if match else (256,)
        name = match[1].strip() if match else ""
        if max(color) > 255 or color in colors or name in names:
            raise ImageError(
                path,
                "name:r,g,b:: in each line, each once, 0..255",
                f"line {number}: {line.strip()!r}"[:80],
                "Correct the line",
            )
        names[name] = None
        colors[color] = len(names) - 1
    # Class 0 is what is not annotated: CVAT lists labels by name.
    first = [name for name in names if name.lower() in ("background", "_background_")]
    order = [*first, *(name for name in names if name not in first)]
    ids, given = {name: class_id for class_id, name in enumerate(order)}, list(names)
    found = {color: ids[given[old]] for color, old in colors.items()}
    colors = dict(sorted(found.items(), key=lambda item: item[1]))
    if VOID not in colors:
        colors[VOID] = 255
    return tuple(order), colors


def _read_label(colors, values, ignore_label, path):
    if values is not None:
        return read_mask(path, values=values)
    pixels, _ = decode(path, as_ids=True)
    own = (path.parents[1] / LABELMAP).is_file()
    # Grey in three channels are ids that a tool has blown up; colours differ.
    if own or (pixels.ndim == 3 and (pixels[..., :1] != pixels[..., 1:]).any()):
        label = read_mask(path, colors=colors)
    else:
        label = read_mask(path)
    return np.where(label == 255, np.int32(ignore_label), label)


def _listed(base):
    for name in ("classes.txt", "labels.txt", "class_names.txt"):
        if (base / name).is_file():
            return tuple(_pairs.lines_of(base / name))
    return ()


def _guess(pairs, read_label, ignore_label):
    most = 0
    for pair in pairs:
        try:
            ids = np.unique(read_label(pair.mask))
        except ValueError:  # whoever reads the sample learns what is wrong
            continue
        most = max(most, int(ids[ids != ignore_label].max(initial=0)))
    # Names as 2007_000032: only VOC's own files have VOC's classes.
    own = all(re.fullmatch(r"\d{4}_\d{6}|\d{6}", pair.name) for pair in pairs)
    if own and most < len(CLASSES):
        return tuple(CLASSES)
    return tuple(f"class {number}" for number in range(max(most, 1) + 1))


def _read(read_label, objects, ignore_label, pair):
    sample = _pairs.read_pair(pair.image, pair.mask, read_label)
    if objects is None:
        return sample
    file = objects / pair.mask.name
    numbers = _object_ids(file)
    _pairs.check_size(pair.image, sample["image"], file, numbers)
    label = sample["label"]
    # Borders are drawn in both maps, and not everywhere alike.
    numbers = np.where((label == ignore_label) | (label == 0), 0, numbers)
    ids, maps = np.unique(numbers, return_inverse=True)
    maps = maps.reshape(label.shape) + (ids[0] != 0)
    num = int(maps.max())
    classes = np.zeros(num, "int32")
    for number in range(1, num + 1):
        # The class of most of its pixels: a few at the border may disagree.
        classes[number - 1] = np.bincount(label[maps == number]).argmax()
    return {
        **sample,
        "instances": maps[None].astype("int32"),
        "classes": classes,
        "crowd": np.zeros(num, bool),
    }


def _object_ids(path):
    """One number for each object: index, or colour."""
    pixels, _ = decode(path, as_ids=True)
    if pixels.ndim == 2:
        return pixels.astype("int32") * (pixels != 255)
    pixels = pixels.astype("int32")
    codes = (pixels[..., 0] << 16) + (pixels[..., 1] << 8) + pixels[..., 2]
    void = (VOID[0] << 16) + (VOID[1] << 8) + VOID[2]
    return codes * (codes != void)
