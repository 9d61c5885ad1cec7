"""VGG Image Annotator: a project, or an export of regions in JSON or CSV."""

import collections
import csv
import json
import pathlib

from kerasseg.datasets import _annotations, _json, _sniff
from kerasseg.datasets._annotations import Annotated, Annotations, LeftOut, Shape
from kerasseg.datasets._forms import reads
from kerasseg.datasets._image_index import ImageIndex
from kerasseg.datasets._splits import SPLITS, usual
from kerasseg.images import ImageError, check_folder

USUAL = ("class", "label", "name", "type", "category")
COLUMNS = ("filename", "region_shape_attributes", "region_attributes")
MAX_FIELD = 2**27  # characters of one region


def _files(root):
    """VIA's JSON files, or else its tables; an export may come in both."""
    if files := _sniff.json_files(root, "via"):
        return files
    tables = _sniff.files_of(root, ".csv")[:64]
    heads = ((path, _sniff.ends_of(path, 4096).splitlines()[:1]) for path in tables)
    return [path for path, head in heads if head and all(x in head[0] for x in COLUMNS)]


def _found(root):
    files = _files(root)
    return files[0].name if files else None


@reads("VGG Image Annotator", _found)
def via(
    root,
    split=None,
    *,
    attribute=None,
    name="object",
    ignore_label=255,
    val_fraction=0.2,
):
    """Regions of VIA 1 and 2: polygons, circles, ellipses and rectangles drawn by hand.

    The class of a region is one of its attributes. Points and lines have no area and
    are counted.

    Args:
        root: folder with the file, or one for each split (`train/via_region_data
            .json`), and the images.
        split: None for all; "train", "val", "test" where there are such folders, else
            by rule as in `folder`.
        attribute: the attribute that names the class. None takes the only one, or the
            first of `class`, `label`, `name`, `type`, `category`.
        name: class name, where regions have no attribute.
        ignore_label: id of ignored pixels.
        val_fraction: share of the images in "val" where there are no splits.

    Returns:
        Samples as those of `coco`.

    Raises:
        ImageError: naming file, image and region, if something is wrong.

    Reference: https://www.robots.ox.ac.uk/~vgg/software/via
    """
    root = pathlib.Path(root)
    check_folder(root)
    files = _files(root)
    if not files:
        raise ImageError(
            root, "VIA's JSON or CSV", "none", "Export annotations as JSON"
        )
    documents = [
        (path, _rows(path) if path.suffix.lower() == ".csv" else _entries(path))
        for path in files
    ]
    regions = [r for _, entries in documents for e in entries for r in _regions(e)]
    attribute = attribute or _class_attribute(files[0], regions)
    index, left_out, jobs = ImageIndex(root), LeftOut(), []
    for path, entries in documents:
        words = [usual(part) for part in path.relative_to(root).parts[:-1]]
        side = next((word for word in words if word in SPLITS), None)
        for entry in entries:
            image = index.find(entry.get("filename"), path)
            shapes = []
            for number, region in enumerate(_regions(entry), 1):
                where = f"{image.name}, region {number}"
                label = _label(path, where, region, attribute, name)
                shape = _shape(path, where, region, left_out)
                shapes += [shape._replace(label=label)] if shape else []
            jobs.append(Annotated(image, path, shapes, None, side))
    if len({job.split for job in jobs} - {None}) < 2:
        jobs = [job._replace(split=None) for job in jobs]
    return _annotations.make_samples(
        root,
        split,
        Annotations(jobs, (), left_out.notes()),
        ignore_label=ignore_label,
        val_fraction=val_fraction,
    )


def _entries(path):
    document = _json.load(path, form="VIA's JSON")
    if isinstance(document, dict):
        # A saved project wraps what an export holds alone.
        document = document.get("_via_img_metadata", document)
    entries = document.values() if isinstance(document, dict) else document
    if not isinstance(document, (dict, list)) or not all(
        isinstance(entry, dict) and "filename" in entry for entry in entries
    ):
        _json.fail(path, "images with a filename", f"{document!r}"[:60])
    for entry in entries:
        regions = _regions(entry)
        if not isinstance(regions, list) or not all(
            isinstance(r, dict) for r in regions
        ):
            _json.fail(path, "regions that are objects", f"{regions!r}"[:60])
    return list(entries)


def _rows(path):
    """Entries of a table with a row for each region; VIA 1 began it with a `#`."""
    text = _annotations.read_text(path).lstrip("#").splitlines()
    csv.field_size_limit(MAX_FIELD)
    entries = {}
    try:
        for row in csv.DictReader(text):
            entry = entries.setdefault(row["filename"], {"filename": row["filename"]})
            shape, attributes = (json.loads(row[key] or "{}") for key in COLUMNS[1:])
            if shape:  # images without a region have a row, too
                region = {"shape_attributes": shape, "region_attributes": attributes}
                entry.setdefault("regions", []).append(region)
    except (csv.Error, KeyError, TypeError, ValueError, RecursionError) as error:
        line = f"row {len(entries)}: {type(error).__name__}: {error}"[:80]
        raise ImageError(path, "VIA's table", line, "Export it again") from error
    return list(entries.values())


def _regions(entry):
    """Regions of an image: a list, or in VIA 1 an object by number."""
    regions = entry.get("regions") or []
    # VIA 1 numbered the regions in a dict, VIA 2 lists them.
    return list(regions.values()) if isinstance(regions, dict) else regions


def _class_attribute(path, regions):
    counts = collections.Counter(
        key
        for region in regions
        if isinstance(region.get("region_attributes"), dict)
        for key, value in region["region_attributes"].items()
        if value not in ("", None, {})
    )
    if len(counts) < 2:
        return next(iter(counts), None)
    by_name = {key.lower(): key for key in counts}
    # Several attributes: that called as people call classes, if there is one.
    for wanted in USUAL:
        if wanted in by_name:
            return by_name[wanted]
    raise ImageError(
        path,
        "the attribute that names the class",
        f"several: {', '.join(counts)}"[:100],
        f"Say which: --set data.attribute={next(iter(counts))}",
    )


def _label(path, where, region, attribute, name):
    if attribute is None:
        return name
    given = region.get("region_attributes")
    value = given.get(attribute) if isinstance(given, dict) else None
    if isinstance(value, dict):  # a checkbox: {"cat": true}
        chosen = [key for key, is_on in value.items() if is_on]
        value = chosen[0] if len(chosen) == 1 else None
    if not isinstance(value, str) or not value.strip():
        _json.fail(path, f"one value of {attribute!r}", f"{where}: {value!r}"[:80])
    return value.strip()


def _shape(path, where, region, left_out):
    given = region.get("shape_attributes")
    kind = given.get("name") if isinstance(given, dict) else None
    shape = Shape("", where)

    def numbers(*names):
        return _annotations.finite(path, where, [given.get(key) for key in names])

    if kind in ("polygon", "polyline"):
        xs, ys = given.get("all_points_x"), given.get("all_points_y")
        if not (isinstance(xs, list) and isinstance(ys, list) and len(xs) == len(ys)):
            _json.fail(path, "as many x as y", f"{where}: {kind}")
        flat = [n for pair in zip(xs, ys) for n in pair]
        flat = _annotations.finite(path, where, flat)
        if kind == "polygon" and len(xs) > 2:
            return shape._replace(rings=(flat,))
    if kind == "circle":
        x, y, radius = numbers("cx", "cy", "r")
        return shape._replace(rings=(_annotations.ellipse(x, y, radius, radius),))
    if kind == "ellipse":
        radians = _annotations.finite(path, where, [given.get("theta") or 0])[0]
        ring = _annotations.ellipse(
            *numbers("cx", "cy", "rx", "ry"), 57.29578 * radians
        )
        return shape._replace(rings=(ring,))
    if kind == "rect":
        ring = _annotations.rectangle(*numbers("x", "y", "width", "height"))
        return shape._replace(rings=(ring,))
    left_out.add(f"regions of kind {kind!r} without an area", where)
    return None
