"""Names and colours of the classes in label images. Private."""

import collections
import itertools
import numbers
import re
from collections.abc import Mapping

from kerasseg.datasets import _color_tables, _mask_numbers
from kerasseg.datasets._splits import read_lines
from kerasseg.images import ImageError
from kerasseg.images.class_ids import check_maps, color_of

MAX_CLASSES = 65_536


def find_colors(root, masks_of, classes, colors, values):
    """Classes and colours that are given, or those of a table beside the masks.

    Args:
        root: folder of the table, see `_color_tables.find`.
        masks_of: function without arguments -> mask files.
        classes, colors, values: as for `folder`.

    Raises:
        ValueError: if `colors` or `values` is malformed.
    """
    colors = rgb_colors(colors)
    check_maps(colors=colors, values=values)
    if colors is None and values is None:
        names, colors = _color_tables.find(root, masks_of)
        classes = names if classes is None else classes
    return classes, colors


def find_names(root, masks_of, classes, mapping, ignore_label):
    """Names of the classes: given, listed beside the masks, or of as many ids as used.

    Args:
        root: folder of `classes.txt` or Roboflow's `_classes.csv`.
        masks_of: function without arguments -> mask files.
        classes: names, their number, or None.
        mapping: to class ids, or a list of colours; None where numbers are the ids, for
            which all masks are read once.
        ignore_label: id of pixels without a class.

    Returns:
        tuple of text.

    Raises:
        ValueError: if a name is given twice.
    """
    if classes is None:
        classes = _listed_classes(root) or None
    if classes is None:
        ids = _mapped_ids(mapping) or _mask_numbers.class_ids(root, masks_of())
        classes = _mask_numbers.count_classes(root, ids, ignore_label)
    if isinstance(classes, numbers.Integral):
        classes = [f"class {class_id}" for class_id in range(classes)]
    classes = tuple(map(str, classes))
    if len(set(classes)) != len(classes):  # results are told by these names
        twice = collections.Counter(classes).most_common(1)[0][0]
        raise ValueError(f"`classes` must be unique. Received: {twice!r} twice.")
    return classes


def _listed_classes(root):
    file = root / "classes.txt"
    if not file.is_file():
        return _roboflow_classes(root)
    names = list(itertools.islice(read_lines(file), MAX_CLASSES + 1))
    if not 0 < len(names) <= MAX_CLASSES or len(set(names)) != len(names):
        raise ImageError(
            file,
            f"one class name per line, each once, {MAX_CLASSES} at most",
            f"{len(names)} names, {len(set(names))} different",
            "Line number i, from 0, is the name of class id i",
        )
    return names


def _roboflow_classes(root):
    """Names in Roboflow's `_classes.csv`, "number, name" in each line; or None."""
    files = sorted({*root.glob("_classes.csv"), *root.glob("*/_classes.csv")})
    if not files:
        return None
    lines = list(itertools.islice(read_lines(files[0]), MAX_CLASSES + 1))
    pairs = [line.partition(",") for line in lines[1:]]
    names = {number.strip(): name.strip() for number, _, name in pairs}
    wanted = [str(number) for number in range(len(names))]
    if list(names) != wanted or len({*names.values()}) < len(names):
        raise ImageError(
            files[0],
            'lines of "number, name", 0, 1, 2, ..., with different names',
            ", ".join(f"{number} {name}" for number, name in names.items())[:80],
            "Correct it, or give `classes`",
        )
    return list(names.values())


def rgb_colors(colors):
    """The mapping with colours as tuples, where they are strings."""
    if not isinstance(colors, Mapping):
        return colors
    return {
        _rgb(key) if isinstance(key, str) else key: class_id
        for key, class_id in colors.items()
    }


def _rgb(text):
    if match := re.fullmatch(r"#([0-9a-fA-F]{6})", text.strip()):
        return tuple(bytes.fromhex(match[1]))
    numbers = re.findall(r"\d+", text)
    if len(numbers) != 3 or re.sub(r"[\d\s,()\[\]]", "", text):
        raise ValueError(
            '`colors` must have keys like "255, 0, 0" or "#ff0000". '
            f"Received: {text!r}."
        )
    return tuple(map(int, numbers))


def _mapped_ids(mapping):
    if mapping is None:
        return None
    ids = mapping.values() if isinstance(mapping, Mapping) else range(len(mapping))
    return {*map(int, ids)}


def colors_by_id(colors, num_classes):
    """(r, g, b) of each class of a table of colours; None unless all have one."""
    if colors is None:
        return None
    is_map = isinstance(colors, Mapping)
    pairs = colors.items() if is_map else zip(colors, range(num_classes))
    by_id = {class_id: color_of(color) for color, class_id in pairs}
    if not all(class_id in by_id for class_id in range(num_classes)):
        return None
    return tuple(by_id[class_id] for class_id in range(num_classes))
