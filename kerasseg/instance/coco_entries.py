"""Entries of COCO's annotation files in all the forms that tools write (no numpy).

Ids may be whole numbers or strings and begin anywhere; lists may be objects; `iscrowd`,
`area`, `bbox` and `segmentation` may be missing. An annotation becomes a small tuple:
Python's own objects of a file of 860,000 would not fit into 2 GB.
"""

import array
import collections
import math
import numbers
from typing import NamedTuple

NO_PARENT = (None, "", "none", "None")  # as Roboflow and others name it


class Annotation(NamedTuple):
    """One annotation of a COCO file, not yet checked.

    Attributes:
        id, image_id, category_id, crowd: as they stand in the file, None without.
        segmentation: rings as float64 arrays, those without area left out, so that
            there may be none; a run-length code as a dict; anything else, None for
            example, as it stands in the file.
        box: float64 [4], (x, y, width, height), or None without a usable one.
        area: finite number in pixels, or None.
    """

    id: object
    image_id: object
    category_id: object
    crowd: object
    segmentation: object
    box: object
    area: object


def annotation_of(entry):
    """`Annotation` of a dict of the file.

    Example:
        >>> ring, line = [0, 0, 2, 0, 2, 2], [0, 0, 2, 2]
        >>> found = annotation_of({"id": 3, "segmentation": [ring, line]})
        >>> len(found.segmentation), found.box, found.crowd
        (1, None, None)
    """
    get = entry.get
    return Annotation(
        get("id"),
        get("image_id"),
        get("category_id"),
        get("iscrowd"),
        _segmentation(get("segmentation")),
        _box(get("bbox")),
        _area(get("area")),
    )


def compact(entry):
    """Hook for `json.loads`: what is needed of images and annotations, at once."""
    if "category_id" in entry or "segmentation" in entry:
        return annotation_of(entry)
    if "file_name" in entry:
        keys = ("id", "file_name", "height", "width")
        return {key: entry[key] for key in keys if key in entry}
    return entry


def listed(document, key):
    """The entries of a list, or of an object by id; None if it is neither."""
    entries = document.get(key) if isinstance(document, dict) else None
    if not isinstance(entries, dict):
        return entries if isinstance(entries, list) else None
    return [_with_id(entry, number) for number, entry in entries.items()]


def _with_id(entry, number):
    if isinstance(entry, Annotation):
        return entry if entry.id is not None else entry._replace(id=number)
    return {"id": number, **entry} if isinstance(entry, dict) else entry


def key_of(number):
    """Id by which entries refer to each other: 7, "7" and 7.0 are the same.

    Returns:
        int or str; None if it is no id.

    Example:
        >>> [key_of(number) for number in (7, "7", 7.0, "007", True, None)]
        [7, 7, 7, '007', None, None]
    """
    kind = type(number)
    if kind is int:
        return number
    if kind is float and number.is_integer():
        return int(number)
    if isinstance(number, str):
        number = str(number)  # numpy's, too
        whole = number.isdecimal() and number.isascii() and len(number) < 19
        return int(number) if whole and str(int(number)) == number else number
    if isinstance(number, numbers.Integral) and kind is not bool:  # numpy's
        return int(number)
    return None


def ordered(keys):
    """Ids in rising order if all are numbers, otherwise as they come."""
    keys = list(keys)
    return sorted(keys) if all(type(key) is int for key in keys) else keys


BACKGROUND = ("background", "_background_", "__background__", "__ignore__")


def is_background(name):
    """Whether the name of a category says that it is no object."""
    return isinstance(name, str) and name.lower() in BACKGROUND


def group_categories(categories, used):
    """Ids of the categories that only name a group of others, and are no class.

    Some tools write one that no annotation has, as parent of all classes, or one for
    the background, which none has either.

    Args:
        categories: {id: dict of "name" and maybe "supercategory"}.
        used: ids that annotations have.

    Example:
        >>> fig = {"name": "fig", "supercategory": "fruit"}
        >>> group_categories({0: {"name": "fruit"}, 1: fig}, used=[1])
        {0}
    """
    parents = collections.defaultdict(set)
    for number, entry in categories.items():
        parent = entry.get("supercategory")
        if isinstance(parent, str):
            parents[parent].add(number)
    used = set(used)
    found = set()
    for number, entry in categories.items():
        name, parent = entry.get("name"), entry.get("supercategory")
        is_top = parent in NO_PARENT or parent == name
        children = isinstance(name, str) and parents.get(name, set()) - {number}
        if number not in used and (is_background(name) or (is_top and children)):
            found.add(number)
    return found


def rectangle(box):
    """The outline of a box as the rings of a segmentation."""
    x, y, width, height = box
    ring = (x, y, x + width, y, x + width, y + height, x, y + height)
    return [array.array("d", ring)]


def _area(area):
    try:  # some tools write numbers as strings
        area = float(area) if isinstance(area, str) else area
    except ValueError:
        return None
    return area if type(area) in (int, float) and abs(area) < 2**62 else None


def _box(box):
    try:
        if isinstance(box, list) and box and isinstance(box[0], str):
            box = map(float, box)
        x, y, width, height = box = array.array("d", box)
    except (TypeError, ValueError, OverflowError):
        return None
    usable = math.isfinite(x) and math.isfinite(y) and width > 0 and height > 0
    return box if usable and math.isfinite(width + height) else None


def _segmentation(given):
    try:  # as nearly all are: lists of numbers, which need no look at each
        if type(given) is list and min(map(len, given), default=5) > 4:
            return [array.array("d", ring) for ring in given]
    except (TypeError, ValueError, OverflowError):
        pass
    if isinstance(given, dict):
        counts = given.get("counts")
        if isinstance(counts, list):
            return {**given, "counts": _numbers("q", counts)}
        return given
    if not isinstance(given, list):
        return given
    if len(given) == 1 and isinstance(given[0], dict):
        return _segmentation(given[0])
    # One ring, not in a list of its own.
    if (given and type(given[0]) in (int, float)) or _is_of_points(given):
        given = [given]
    given = [_flat(x) if _is_of_points(x) else x for x in given]
    # Two points have no area. pycocotools would take four numbers for a box.
    rings = [_numbers("d", x) for x in given if not _is_short(x)]
    return rings


def _is_of_points(ring):
    """Whether a ring is written as [[x, y], [x, y], [x, y], ...]."""
    return (
        isinstance(ring, list)
        and len(ring) > 2
        and isinstance(ring[0], list)  # of nearly all it is a number
        and all(isinstance(point, list) and len(point) == 2 for point in ring)
        and not any(isinstance(number, list) for number in ring[0])
    )


def _flat(ring):
    return [number for point in ring for number in point]


def _is_short(ring):
    if not isinstance(ring, list) or len(ring) not in (0, 2, 4):
        return False
    return not ring or not isinstance(ring[0], (list, dict))  # four points are a ring


def _numbers(kind, values):
    try:
        return array.array(kind, values)
    except (TypeError, ValueError, OverflowError):
        return values  # refused later, with its place
