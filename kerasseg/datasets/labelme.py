"""LabelMe: a JSON file of shapes for each image."""

import base64
import binascii
import functools
import math
import os
import pathlib

import numpy as np

from kerasseg.datasets import _annotations, _json, _sniff
from kerasseg.datasets._annotations import Annotated, Annotations, LeftOut, Shape
from kerasseg.datasets._forms import reads
from kerasseg.datasets._image_index import ImageIndex
from kerasseg.datasets._splits import SPLITS, usual
from kerasseg.images import check_folder, read_mask


def _found(root):
    files = _sniff.json_files(root, "labelme")
    return f"{len(files)} JSON files such as {files[0].name}" if files else None


@reads("LabelMe JSON", _found)
def labelme(root, split=None, *, ignore_label=255, val_fraction=0.2):
    """Shapes of LabelMe, and of tools that write its form, one JSON file per image.

    Polygons, rectangles, circles and masks are objects; shapes of one label and one
    `group_id` are parts of one object. Points, lines and line strips have no area and
    are counted. `_background_` is the background, `__ignore__` marks ignored pixels.
    The image is the one that `imagePath` names, wherever that path begins, else the one
    of the same name as the JSON file, else the copy in `imageData`. Class ids follow
    the alphabet, or the lines of a `labels.txt` or `classes.txt`.

    Args:
        root: folder; JSON files and images may lie anywhere in it.
        split: None for all, or "train", "val", "test": folders of these names, or by
            rule as in `folder`.
        ignore_label: id of ignored pixels.
        val_fraction: share of the images in "val" where there are no splits.

    Returns:
        Samples as those of `coco`.

    Raises:
        ImageError: naming file and shape, if something is wrong.

    Reference: https://github.com/wkentaro/labelme
    """
    root = pathlib.Path(root)
    check_folder(root)
    return _annotations.make_samples(
        root,
        split,
        _read_all(root),
        ignore_label=ignore_label,
        val_fraction=val_fraction,
    )


def _read_all(root):
    index, left_out, found = ImageIndex(root), LeftOut(), []
    for path in _sniff.files_of(root, ".json"):
        if _sniff.json_form(path) != "labelme":
            continue
        document = _json.load(path, form="LabelMe's JSON")
        if not isinstance(document, dict):
            continue
        image = _image_of(path, document, index)
        size = [document.get("imageHeight"), document.get("imageWidth")]
        known = all(type(side) is int and side > 0 for side in size)
        shapes = document.get("shapes")
        if not isinstance(shapes, list):
            _json.fail(path, "a list 'shapes'", repr(shapes)[:60])
        shapes = [
            shape
            for number, entry in enumerate(shapes, 1)
            if (shape := _shape(path, number, entry, left_out))
        ]
        words = [usual(part) for part in path.relative_to(root).parts[:-1]]
        split = next((word for word in words if word in SPLITS), None)
        inside = functools.partial(_picture_in, path) if image == path else None
        size = tuple(size) if known else None
        found.append(Annotated(image, path, shapes, size, split, inside))
    # One split alone is a folder's name, such as `train` around everything.
    if len({job.split for job in found} - {None}) < 2:
        found = [job._replace(split=None) for job in found]
    return Annotations(found, _listed(root, found), left_out.notes())


def _listed(root, found):
    used = {shape.label for job in found for shape in job.shapes}
    for name in ("labels.txt", "classes.txt"):
        if (root / name).is_file():
            lines = _annotations.read_text(root / name).splitlines()
            names = [line.strip() for line in lines if line.strip()]
            # A list that lacks a label in use is of something else; labels.txt of
            # LabelMe's own converter begins with __ignore__ and _background_.
            return names if used <= set(names) else ()
    return ()


def _picture_in(path):
    """Bytes of the image that an annotation file holds."""
    return _decoded(path, "imageData", _json.load(path)["imageData"])


def _image_of(path, document, index):
    """The image file; the annotation file itself where the image is only in there."""
    given = document.get("imagePath")
    if given:
        image = index.find(given, path)
        if os.path.isfile(image):
            return image
    # Files are renamed and moved after annotation, and `imagePath` stays as it was.
    if beside := index.beside(path):
        return beside[0]
    if document.get("imageData"):
        return path
    return path.parent / pathlib.PureWindowsPath(str(given or f"{path.stem}.png")).name


def _shape(path, number, entry, left_out):
    """`Shape` of one entry; None if it has no area."""
    where = f"shape {number}"
    if not isinstance(entry, dict) or not isinstance(entry.get("label"), str):
        _json.fail(path, "shapes with a label", f"{where}: {entry!r}"[:80])
    kind, points = entry.get("shape_type") or "polygon", entry.get("points")
    if not isinstance(points, list) or not all(
        isinstance(point, (list, tuple)) and len(point) == 2 for point in points
    ):
        _json.fail(path, "points [x, y]", f"{where}: {points!r}"[:80])
    flat = _annotations.finite(path, where, [x for point in points for x in point])
    group = entry.get("group_id")
    if not isinstance(group, (int, float, str, type(None))):
        _json.fail(path, "a number group_id", f"{where}: {group!r}"[:80])
    shape = Shape(entry["label"], where, group=group if group != "" else None)
    if kind == "polygon" and len(points) >= 3:
        return shape._replace(rings=(flat,))
    # Two opposite corners; four in files of X-AnyLabeling.
    if kind == "rectangle" and len(points) in (2, 4):
        if len(points) == 4:
            return shape._replace(rings=(flat,))
        (x1, x2), (y1, y2) = sorted(flat[::2]), sorted(flat[1::2])
        return shape._replace(rings=(_annotations.rectangle(x1, y1, x2 - x1, y2 - y1),))
    if kind == "circle" and len(points) == 2:
        # The second point lies on the circle.
        radius = math.dist(flat[:2], flat[2:])
        return shape._replace(rings=(_annotations.ellipse(*flat[:2], radius, radius),))
    if kind == "mask" and len(points) == 2:
        corner = (round(min(flat[::2])), round(min(flat[1::2])))
        read = functools.partial(_mask, path, where, entry.get("mask"), corner)
        return shape._replace(mask=read)
    if kind in ("point", "points", "line", "linestrip", "polygon"):
        left_out.add(f"shapes of kind {kind!r} without an area", path.name)
        return None
    return _json.fail(
        path,
        "polygons, rectangles, circles or masks",
        f"{where}: {kind!r} of {len(points)} points",
    )


def _decoded(path, where, text):
    try:
        return base64.b64decode(text or "", validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        return _json.fail(path, "a picture in base64", f"{where}: {error}")


def _mask(path, where, text, corner, size):
    """Mask of a PNG in base64 whose upper left corner lies at (x, y)."""
    data = _decoded(path, where, text)
    part = read_mask(data, max_pixels=size[0] * size[1]) > 0
    x, y = corner
    if x < 0 or y < 0 or y + part.shape[0] > size[0] or x + part.shape[1] > size[1]:
        raise ValueError(f"a mask of {part.shape} at {corner} outside of {size}")
    mask = np.zeros(size, bool)
    mask[y : y + part.shape[0], x : x + part.shape[1]] = part
    return mask
