"""Pairs of an image and a mask in the rows of a table."""

import csv
import functools
import itertools
import os
import pathlib
import re

from kerasseg.datasets import _annotations, _class_labels, _pairs, _sniff
from kerasseg.datasets._forms import reads
from kerasseg.datasets._image_index import ImageIndex, is_name, names_of
from kerasseg.datasets._pairs import Pair
from kerasseg.datasets._splits import SPLITS, usual
from kerasseg.images import EXTENSIONS, ImageError, check_folder, read_mask

SUFFIXES = (".csv", ".tsv")
MASK = re.compile(r"mask|label|annot|seg|gt|target|truth", re.I)
SPLIT = re.compile(r"split|subset|set|fold|phase|stage|partition", re.I)
PEEK = 5  # rows that tell the columns
MOST_TABLES = 64


def _found(root):
    tables = _tables(pathlib.Path(root))
    return ", ".join(path.name for path in tables[:3]) if tables else None


@reads("table of images and masks", _found)
def table(
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
    """Images and masks as the rows of a CSV file pair them.

    A row names an image and its mask, relative to the table, the root or the shell; a
    mask's column is called `mask`, `label` or the like, or is the second one of image
    files. Splits are tables of their own (`train.csv`), or a column `split`. Rows
    without a mask are left out and counted.

    Args:
        root: folder of the tables; images and masks lie in it.
        split: None for all, "train", "val", "test"; by rule as in `folder` where the
            tables give none.
        channels, classes, colors, values, ignore_label, val_fraction: as for `folder`.

    Returns:
        Samples of `image` [H, W, C] and `label` int32 [H, W].

    Raises:
        ImageError: naming file and line, if something is wrong.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from kerasseg.images import write_image, write_mask
        >>> root = tempfile.mkdtemp()
        >>> write_image(f"{root}/photos/1.png", np.zeros([4, 4, 3], "uint8"))
        >>> write_mask(f"{root}/drawn/x.png", np.diag([1, 1, 2, 2]))
        >>> text = "image,mask\\nphotos/1.png,drawn/x.png\\n"
        >>> _ = pathlib.Path(root, "all.csv").write_text(text)
        >>> table(root).names, table(root)[0]["label"].max()
        (('photos/1',), np.int32(2))
    """
    root = pathlib.Path(root)
    check_folder(root)
    tables = _tables(root)
    if not tables:
        raise ImageError(
            root, "a table of images and masks (.csv)", "none", "Check the names in it"
        )
    pairs, num = _read_all(root, tables)
    masks_of = functools.partial(list, {pair.mask: None for pair in pairs})
    classes, colors = _class_labels.find_colors(root, masks_of, classes, colors, values)
    mapping = values if colors is None else colors
    classes = _class_labels.find_names(root, masks_of, classes, mapping, ignore_label)
    read_label = functools.partial(read_mask, colors=colors, values=values)
    return _pairs.make_samples(
        root,
        split,
        pairs,
        functools.partial(_read, read_label, channels),
        classes,
        val_fraction=val_fraction,
        ignore_label=ignore_label,
        colors=_class_labels.colors_by_id(colors, len(classes)),
        notes=(f"Left out: rows without a mask: {num}.",) if num else (),
    )


def _read(read_label, channels, pair):
    return _pairs.read_pair(pair.image, pair.mask, read_label, channels)


def _tables(root):
    """Tables of which one of the first rows names two image files that are there."""
    found, index = [], None
    for path in _sniff.files_of(root, *SUFFIXES)[:MOST_TABLES]:
        try:
            rows = list(itertools.islice(_rows(_sniff.ends_of(path)), 1 + PEEK))
        except csv.Error:  # a table of something else
            continue
        if not any(len(_pictures(row)) > 1 for row in rows):
            continue
        index = index or ImageIndex(root)
        if any(_are_there(index, path, row) for row in rows):
            found.append(path)
    return found


def _are_there(index, path, row):
    try:
        files = {index.find(row[place], path) for place in _pictures(row)}
    except ImageError:  # of a name that could be several files
        return False
    return len(files) > 1 and all(map(os.path.isfile, files))


def _rows(text):
    """Rows of a table, whose columns are parted by tabs, semicolons or commas."""
    lines = text.splitlines()
    mark = max("\t;,", key=(lines[0] if lines else "").count)
    return csv.reader(lines, delimiter=mark)


def _pictures(row):
    """Places of the cells that are names of image files."""
    suffixes = (os.path.splitext(cell.strip())[1].lower() for cell in row)
    return [place for place, suffix in enumerate(suffixes) if suffix in EXTENSIONS]


def _read_all(root, tables):
    """`Pair` of each row, and the number of rows without a mask."""
    index, found, num = ImageIndex(root), [], 0
    sides = [_split_of(path) for path in tables]
    apart = len({*sides} & {*SPLITS}) > 1
    for path, side in zip(tables, sides):
        try:
            rows = list(_rows(_annotations.read_text(path)))
        except csv.Error as error:
            fix = "Export it again"
            raise ImageError(path, "a table in CSV", f"{error}", fix) from error
        image, mask, split = _columns(rows)
        for number, row in enumerate(rows, 1):
            row = [cell.strip() for cell in row] + [""] * (1 + max(image, mask, split))
            if not _pictures(row):  # the names of the columns, or an empty line
                continue
            if not is_name(row[mask]):
                num += 1
                continue
            files = [_file(index, path, number, row[place]) for place in (image, mask)]
            own = usual(row[split]) if split >= 0 and row[split] else None
            found.append((*files, side if apart else own, path, number))
    unique = _united(found)
    names = names_of([*unique], root)
    pairs = [Pair(n, image, *rest) for n, (image, rest) in zip(names, unique.items())]
    return pairs, num


def _united(found):
    """{image: (mask, split)} of rows, of which several may say the same."""
    unique = {}
    for image, mask, split, path, number in found:
        known, side = unique.get(image, (mask, split))
        sides = {side, split} - {None}  # a table of all beside those of splits
        if known != mask or len(sides) > 1:
            received = f"{mask.name}, and {known.name} of {image.name}"
            if known == mask:
                received = f"{image.name} in {side} and in {split}"
            raise ImageError(
                path,
                "one mask and one split for each image",
                f"line {number}: {received}",
                "Join the masks of an image, or make masks/CLASS/ of them"
                if known != mask
                else "Correct the tables",
            )
        unique[image] = mask, next(iter(sides), None)
    return unique


def _split_of(path):
    """Split that a table is of by its name, such as `train_list.csv`, or None."""
    words = map(usual, re.split(r"[_\-. ]", path.stem))
    return next((word for word in words if word in SPLITS), None)


def _columns(rows):
    """Places of the image, of the mask, and of the split, -1 without it."""
    first = next(row for row in rows if len(_pictures(row)) > 1)
    places = _pictures(first)
    header = rows[0] if not _pictures(rows[0]) else [""] * len(first)
    masks = [x for x in places if x < len(header) and MASK.search(header[x])]
    mask = masks[0] if masks and len(masks) < len(places) else places[1]
    image = next(place for place in places if place != mask)
    splits = [x for x, name in enumerate(header) if SPLIT.fullmatch(name.strip())]
    return image, mask, splits[0] if splits else -1


def _file(index, path, number, name):
    file = index.find(name, path)
    if not os.path.isfile(file):
        raise ImageError(
            path, "files that are there", f"line {number}: {name}", "Correct the name"
        )
    return file
