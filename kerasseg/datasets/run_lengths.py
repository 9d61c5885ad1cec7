"""A table of run lengths, as Kaggle's competitions give masks."""

import csv
import functools
import os
import pathlib
import re

import numpy as np

from kerasseg.datasets import _annotations, _sniff
from kerasseg.datasets._annotations import Annotated, Annotations, Shape
from kerasseg.datasets._forms import reads
from kerasseg.datasets._image_index import ImageIndex
from kerasseg.images import ImageError, check_folder, read_image

ORDERS = ("columns", "rows")
CODES = re.compile(r"encod|rle|mask|segmentation|pixels|^annotation$", re.I)
CLASSES = re.compile(r"class|label|categor|type", re.I)
TWO_RUNS = re.compile(r"(?<!\d)\d+ \d+ \d+ \d")
RUNS = re.compile(r"\s*\d+(\s+\d+)*\s*")
MAX_FIELD = 2**27  # characters of one code


def _tables(root):
    found = []
    for path in _sniff.files_of(root, ".csv")[:64]:
        lines = _sniff.ends_of(path).splitlines()
        # Two runs at least in one of the rows: other tables hold pairs of numbers, too.
        rows = [line for line in lines[1:] if TWO_RUNS.search(line)]
        if lines and rows and any(map(CODES.search, _columns(lines[0]))):
            found.append(path)
    return found


def _columns(line):
    return [column.strip(" \"'") for column in line.split(",")]


def _found(root):
    tables = _with_codes(_tables(root))
    return tables[0].name if tables else None


@reads("CSV of run lengths", _found)
def run_lengths(
    root,
    split=None,
    *,
    table=None,
    order=None,
    name="object",
    ignore_label=255,
    val_fraction=0.2,
):
    """Masks as pairs of start, from 1, and length, in one row of a table each.

    A table has a column with the name of the image, one of the code (`EncodedPixels`,
    `rle`, ...) and maybe one of the class (`ClassId`), which may also be a part of the
    name (`Image_Label`: `a.jpg_Fish`). A row without a code is an image or a class
    without objects. Rows of one image are objects of their own.

    Pixels are counted down the columns in most of these tables, and along the rows in
    others; the runs themselves tell, because neighbouring runs lie one height or one
    width apart, unless all images are square. `Samples.notes` says which was taken.

    Args:
        root: folder with the table and the images.
        split: None for all, "train" or "val" by rule as in `folder`.
        table: path of the table in the root; None finds the only one.
        order: "columns" or "rows"; None lets the runs tell, columns where they do not.
        name: class name, where there is no column of classes.
        ignore_label: id of ignored pixels.
        val_fraction: share of the images in "val".

    Returns:
        Samples as those of `coco`.

    Raises:
        ImageError: naming file and line, if something is wrong.
        ValueError: for another value of `order`.
    """
    root = pathlib.Path(root)
    check_folder(root)
    if order not in (None, *ORDERS):
        raise ValueError(f"`order` must be None or in {ORDERS}. Received: {order!r}.")
    path = _table(root, table)
    rows = list(_rows(path, name))
    index = ImageIndex(root)
    images = {}
    for image, label, code, where in rows:
        images.setdefault(image, []).append((label, code, where))
    files = {image: index.find(image, path) for image in images}
    note = None
    if order is None:
        order, note = _order_of(files, images)
    jobs = []
    for image, objects in images.items():
        shapes = [
            Shape(label, where, mask=functools.partial(_mask, code, order))
            for label, code, where in objects
            if code
        ]
        jobs.append(Annotated(files[image], path, shapes))
    return _annotations.make_samples(
        root,
        split,
        Annotations(jobs, (), (note,) if note else ()),
        ignore_label=ignore_label,
        val_fraction=val_fraction,
    )


def _with_codes(tables):
    """Tables but examples of submissions, which hold codes of other images, or none."""
    # Kaggle puts an example of what to hand in beside the truth.
    return [p for p in tables if "submission" not in p.name.lower()] or tables


def _table(root, given):
    if given is not None:
        path = next(
            (p for p in (root / given, pathlib.Path(given)) if p.is_file()), None
        )
        if path is None:
            raise ImageError(root / given, "a table", "no such file", "Check the path")
        return path
    tables = _with_codes(_tables(root))
    if len(tables) != 1:
        raise ImageError(
            root,
            "one table of run lengths (.csv)",
            ", ".join(path.name for path in tables[:4]) or "none",
            "Say which: --set data.table=FILE",
        )
    return tables[0]


def _rows(path, name):
    """(image, label, code, where) of each row."""
    text = _annotations.read_text(path).splitlines()
    # The csv module's limit of 131,072 characters is exceeded by masks of large images.
    csv.field_size_limit(MAX_FIELD)
    try:
        rows = list(csv.reader(text))
    except csv.Error as error:
        raise ImageError(
            path, "a table in CSV", f"{error}", "Export it again"
        ) from error
    header = [column.strip() for column in rows[0]] if rows else []
    codes = [place for place, column in enumerate(header) if CODES.search(column)]
    if not codes or len(header) < 2:
        raise ImageError(
            path,
            "columns of the image's name and of the run lengths",
            f"line 1: {', '.join(header)}"[:100],
            "Name them ImageId and EncodedPixels",
        )
    code = codes[-1]
    names = [place for place in range(len(header)) if place != code]
    kind = next((i for i in names if CLASSES.fullmatch(header[i].split("_")[-1])), None)
    kind = kind if kind is not None else _class_column(header, names)
    image = next(place for place in names if place != kind or len(names) == 1)
    joined = kind in (None, image) and CLASSES.search(header[image])
    for number, row in enumerate(rows[1:], 2):
        where = f"line {number}"
        if not any(cell.strip() for cell in row):
            continue
        if len(row) <= max(code, image) or (kind is not None and len(row) <= kind):
            raise ImageError(
                path, f"{len(header)} columns", f"{where}: {len(row)}", "Correct it"
            )
        key, label = row[image].strip(), name
        if joined and "_" in key:
            key, _, label = key.rpartition("_")
        elif kind is not None and kind != image:
            label = row[kind].strip()
        runs = row[code].strip()
        # How tables of several competitions say "no object".
        if runs.lower() in ("", "-1", "nan", "none", "1 0"):
            runs = ""
        elif not RUNS.fullmatch(runs):
            raise ImageError(
                path, "run lengths", f"{where}: {runs[:40]!r}", "Correct the code"
            )
        yield key, label, runs, where


def _class_column(header, names):
    return next((i for i in names[1:] if CLASSES.search(header[i])), None)


def _order_of(files, images):
    """The order in which pixels are counted, and a note that says so."""
    votes = {"columns": 0, "rows": 0}
    looked = 0
    for image, objects in images.items():
        codes = [code for _, code, _ in objects if code]
        if not codes or not os.path.isfile(files[image]):
            continue
        try:
            height, width = read_image(files[image], channels=None).shape[:2]
        except ValueError:  # whoever reads the sample learns what is wrong
            continue
        if height != width:
            for code in codes[:20]:
                steps = np.abs(np.diff(np.array(code.split(), float)[::2]))
                if len(steps):
                    # 3 px: outlines lean, so neighbouring runs begin a little earlier
                    # or later.
                    votes["columns"] += int((np.abs(steps - height) <= 3).sum())
                    votes["rows"] += int((np.abs(steps - width) <= 3).sum())
        looked += 1
        if looked >= 20 or max(votes.values()) > 500:
            break
    best = max(votes, key=votes.get)
    told = votes[best] > 2 * min(votes.values())
    if not told:
        best = "columns"
    how = "as the runs tell" if told else "as usual; the runs do not tell"
    other = ORDERS[best == "columns"]
    return best, (
        f"Run lengths are counted along {best}, {how} (--set data.order={other} for "
        "the other way)."
    )


def _mask(code, order, size):
    numbers = np.array(code.split(), "float64")
    if len(numbers) % 2:
        raise ValueError("a start without a length")
    # Pixels are counted from 1, as Kaggle's rules say.
    starts, lengths = numbers[::2] - 1, numbers[1::2]
    pixels = size[0] * size[1]
    bad = (starts < 0) | (lengths < 1) | (starts + lengths > pixels)
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise ValueError(
            f"run {first + 1}, {starts[first] + 1:g} {lengths[first]:g}, is not "
            f"within the {pixels} pixels of the image"
        )
    mask = np.zeros(pixels, bool)
    for start, length in zip(starts.astype(int), lengths.astype(int)):
        mask[start : start + length] = True
    return mask.reshape(size) if order == "rows" else mask.reshape(size[::-1]).T
