"""Tables of what was found: a row for each object, a row for each image.

objects.csv has the columns image (path of the file), id (that of the label map),
class_id (1 for the first class after the background), class, area_px, x1, y1, x2, y2
(the box, ends exclusive), centroid_x, centroid_y and score; lengths are in pixels of
the image, centres of pixels lie at 0.5. images.csv has image, height, width, objects,
and for each class NAME_objects and NAME_area_px.
"""

from typing import NamedTuple

import cv2
import numpy as np


class Found(NamedTuple):
    """Rows of one image: list of dicts for objects.csv, a dict for images.csv."""

    objects: list
    image: dict


def rows_of(found):
    """Tables by file name: rows, and the first of their columns.

    Args:
        found: dict from the path of an image to its `Found`.
    """
    if not found:
        return {}
    objects = [{"image": k, **row} for k, one in found.items() for row in one.objects]
    each = [{"image": key, **one.image} for key, one in found.items()]
    return {
        "objects.csv": (objects, ("image", *COLUMNS)),
        "images.csv": (each, ("image",)),
    }


COLUMNS = (
    *("id", "class_id", "class", "area_px", "x1", "y1", "x2", "y2"),
    *("centroid_x", "centroid_y", "score"),
)


def class_columns(class_names):
    """Columns of images.csv of classes: for each name, those of objects and areas.

    Example:
        >>> class_columns(["a", "b"])
        ['a_objects', 'a_area_px', 'b_objects', 'b_area_px']
    """
    ends = "_objects", "_area_px"
    return [f"{name}{end}" for name in class_names for end in ends]


def of_instances(found, class_names=None):
    """`Found` of `Instances`; class names without the background.

    Example:
        >>> from kerasseg.instance.instances import Instances
        >>> masks = np.array([[[0, 1, 1], [0, 1, 0]]], bool)
        >>> one = Instances(np.array([[1, 0, 3, 2.0]]), [0], np.array([0.5]), masks)
        >>> row = of_instances(one, ["fig"]).objects[0]
        >>> row["class"], row["area_px"], row["centroid_x"], row["x2"], row["score"]
        ('fig', 3, 1.83, 3.0, 0.5)
    """
    rows = []
    boxes, scores = np.round(found.boxes, 2).tolist(), found.scores.tolist()
    for number, (mask, class_id) in enumerate(zip(found.masks, found.classes), 1):
        y, x = np.nonzero(mask)
        centroid = (x.mean() + 0.5, y.mean() + 0.5) if len(x) else ("", "")
        row = [number, int(class_id) + 1, _name(class_names, int(class_id)), len(x)]
        row += [*boxes[number - 1], *_rounded(centroid), round(scores[number - 1], 4)]
        rows.append(dict(zip(COLUMNS, row)))
    names = class_names
    if names is None:
        names = [f"class {i}" for i in range(max(found.classes, default=-1) + 1)]
    return Found(rows, _image_row(found.masks.shape[1:], rows, enumerate(names, 1)))


def of_class_map(label, class_names=None, num_classes=None):
    """`Found` of class ids [H, W]: objects are 4-connected regions of a class above 0.

    Example:
        >>> found = of_class_map(np.array([[0, 1, 1], [2, 0, 1]]), ["sky", "a", "b"])
        >>> [(row["class"], row["area_px"]) for row in found.objects]
        [('a', 3), ('b', 1)]
        >>> found.image["sky_area_px"], found.image["objects"]
        (2, 2)
    """
    rows, areas = [], np.bincount(label.ravel())
    for class_id in np.flatnonzero(areas[1:]) + 1:
        mask = (label == class_id).astype("uint8")
        _, _, stats, centers = cv2.connectedComponentsWithStats(mask, connectivity=4)
        for (x, y, width, height, area), center in zip(stats[1:].tolist(), centers[1:]):
            row = [len(rows) + 1, int(class_id), _name(class_names, class_id), area]
            row += [x, y, x + width, y + height, *_rounded(center + 0.5), ""]
            rows.append(dict(zip(COLUMNS, row)))
    num = len(class_names or ()) or num_classes or 0
    names = class_names or [f"class {i}" for i in range(max(num, len(areas)))]
    return Found(rows, _image_row(label.shape, rows, enumerate(names), areas.tolist()))


def of_segments(ids, segments, things, class_names=None):
    """`Found` of panoptic segments: a map of ids 1..M and a dict for each.

    Args:
        ids: integers [H, W].
        segments: dicts of "id", "class_id", "class" and "area_px".
        things: ids of the classes whose segments are objects.
        class_names: of all classes, for a column of each; None for those that occur.
    """
    rows = []
    for segment in segments:
        y, x = np.nonzero(ids == segment["id"])
        row = [segment["id"], segment["class_id"], segment["class"], len(x)]
        box = [x.min(), y.min(), x.max() + 1, y.max() + 1] if len(x) else [""] * 4
        center = (x.mean() + 0.5, y.mean() + 0.5) if len(x) else ("", "")
        row += [*(value if value == "" else int(value) for value in box)]
        rows.append(dict(zip(COLUMNS, [*row, *_rounded(center), ""])))
    names = dict(enumerate(class_names or ()))
    names |= {row["class_id"]: row["class"] for row in rows}
    kept = [row for row in rows if row["class_id"] in things]
    image = _image_row(ids.shape, rows, sorted(names.items()))
    return Found(kept, {**image, "objects": len(kept)})


def _image_row(size, rows, names, areas=None):
    """Counts and areas of the classes of one image."""
    row = {"height": size[0], "width": size[1], "objects": len(rows)}
    for class_id, name in names:
        own = [one["area_px"] for one in rows if one["class_id"] == class_id]
        area = sum(own)
        if areas is not None:
            area = areas[class_id] if class_id < len(areas) else 0
        if areas is None or class_id:  # the background is no object
            row[f"{name}_objects"] = len(own)
        row[f"{name}_area_px"] = area
    return row


def _name(class_names, class_id):
    return str(class_names[class_id]) if class_names else f"class {class_id}"


def _rounded(values):
    return [value if value == "" else round(float(value), 2) for value in values]
