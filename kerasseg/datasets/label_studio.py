"""Label Studio: a JSON list of tasks with polygons and brush strokes."""

import functools
import os
import pathlib

import numpy as np

from kerasseg.datasets import _annotations, _coco_json, _json, _sniff
from kerasseg.datasets._annotations import Annotated, Annotations, LeftOut, Shape
from kerasseg.datasets._forms import reads
from kerasseg.datasets._image_index import ImageIndex, is_name
from kerasseg.images import ImageError, check_folder

KINDS = ("polygonlabels", "brushlabels", "ellipselabels", "rectanglelabels")
BOXES = "rectanglelabels"
THRESHOLD = 128  # of a brush's opacity, 0..255


def _found(root):
    files = _sniff.json_files(root, "label_studio")
    return files[0].name if files else None


@reads("Label Studio JSON", _found)
def label_studio(root, split=None, *, ignore_label=255, val_fraction=0.2, boxes="skip"):
    """Objects of Label Studio's JSON: polygons, ellipses and brush masks.

    Of several annotations of one image the first that was not cancelled is taken, the
    others are counted; predictions and shapes without an area are counted, too. Images
    are found by the end of their address (`/data/upload/1/0a1b2c3d-NAME.jpg`,
    `/data/local-files/?d=...`), with or without the prefix of an upload.

    Args:
        root: folder with the JSON file and the images.
        split: None for all, "train" or "val" by rule as in `folder`.
        ignore_label: id of ignored pixels.
        val_fraction: share of the images in "val".
        boxes: "skip" leaves rectangles out, "fill" makes them masks.

    Returns:
        Samples as those of `coco`.

    Raises:
        ImageError: naming file and task, if something is wrong.
        ValueError: for another value of `boxes`.

    Reference: https://labelstud.io/guide/export
    """
    root = pathlib.Path(root)
    check_folder(root)
    _coco_json.check_boxes(boxes)
    return _annotations.make_samples(
        root,
        split,
        _read_all(root, boxes),
        ignore_label=ignore_label,
        val_fraction=val_fraction,
    )


def _read_all(root, boxes):
    files = _sniff.json_files(root, "label_studio")
    if not files:
        raise ImageError(root, "Label Studio's JSON", "none", "Export it as JSON")
    index, left_out, jobs = ImageIndex(root), LeftOut(), []
    for path in files:
        tasks = _json.load(path, form="Label Studio's JSON")
        for number, task in enumerate(tasks, 1):
            where = f"task {task.get('id', number)}" if isinstance(task, dict) else None
            if where is None or not isinstance(task.get("data"), dict):
                _json.fail(path, "tasks with data", f"task number {number}")
            image = _image_of(path, where, task["data"], index)
            entries = _chosen(path, task, where, left_out)
            shapes, size = [], None
            for entry in entries:
                shape, size = _shape(path, where, entry, boxes, left_out, size)
                shapes += [shape] if shape else []
            jobs.append(Annotated(image, path, shapes, size))
    return Annotations(jobs, (), left_out.notes())


def _image_of(path, where, data, index):
    """The first value of a task's data that names an image."""
    names = [value for value in data.values() if is_name(value)]
    # Tasks may carry other texts, and call the image anything; "image" is the usual
    # key.
    names.sort(key=lambda name: data.get("image") != name)
    for name in names:
        image = index.find(name, path)
        if os.path.isfile(image):
            return image
        # Uploads are stored as "<hash>-<name>"; the images may lie here by either name.
        _, dash, rest = name.rpartition("/")[2].partition("-")
        image = index.find(rest, path) if dash and is_name(rest) else image
        if os.path.isfile(image):
            return image
    if not names:
        _json.fail(path, "data that name an image", f"{where}: {data!r}"[:80])
    return index.find(names[0], path)


def _chosen(path, task, where, left_out):
    """The results of the first annotation that was not cancelled."""
    # "completions" before Label Studio 1.0.
    done = task.get("annotations", task.get("completions")) or []
    if not isinstance(done, list):
        _json.fail(path, "a list of annotations", f"{where}: {done!r}"[:80])
    done = [
        one for one in done if isinstance(one, dict) and not one.get("was_cancelled")
    ]
    if len(done) > 1:
        for _ in done[1:]:
            left_out.add("further annotations of an image", where)
    if not done:
        left_out.add("tasks without an annotation (no objects in the image)", where)
        return []
    results = done[0].get("result") or []
    if not isinstance(results, list):
        _json.fail(path, "a list of results", f"{where}: {results!r}"[:80])
    return [one for one in results if isinstance(one, dict)]


def _shape(path, where, entry, boxes, left_out, size):
    """`Shape` of a result, or None, and the size of its image."""
    kind, value = entry.get("type"), entry.get("value")
    where = f"{where}, result {entry.get('id')}"
    if kind not in KINDS:
        left_out.add(f"results of type {kind!r}", where)
        return None, size
    if kind == BOXES and boxes == "skip":
        left_out.add("boxes without an outline (boxes=fill takes them)", where)
        return None, size
    labels = value.get(kind) if isinstance(value, dict) else None
    known = isinstance(labels, list) and labels and isinstance(labels[0], str)
    if not known:
        left_out.add("shapes without a label", where)
        return None, size
    given = entry.get("original_height"), entry.get("original_width")
    if not all(type(side) is int and 0 < side < 2**20 for side in given):
        _json.fail(path, "original_height and _width", f"{where}: {given}")
    if size is not None and size != given:
        _json.fail(path, f"the size {size} of the image", f"{where}: {given}")
    shape = Shape(labels[0], where)
    if kind == "brushlabels":
        if value.get("format") != "rle":
            _json.fail(path, "a brush in format rle", f"{where}: {value.keys()}")
        return shape._replace(mask=functools.partial(_brush, value.get("rle"))), given
    return shape._replace(rings=(_ring(path, where, kind, value, given),)), given


def _ring(path, where, kind, value, size):
    """Ring in pixels of a shape in percent of width and height."""
    # Label Studio stores percentages of the image's sides.
    height, width = (side / 100 for side in size)

    def numbers(*names):
        return _annotations.finite(path, where, [value.get(name) for name in names])

    if kind == "polygonlabels":
        points = value.get("points")
        if not isinstance(points, list) or not all(
            isinstance(point, list) and len(point) == 2 for point in points
        ):
            _json.fail(path, "points [x, y]", f"{where}: {points!r}"[:80])
        flat = _annotations.finite(path, where, [n for point in points for n in point])
        return [n * (width, height)[i % 2] for i, n in enumerate(flat)]
    (angle,) = _annotations.finite(path, where, [value.get("rotation") or 0])
    if kind == "ellipselabels":
        x, y, across, down = numbers("x", "y", "radiusX", "radiusY")
        return _annotations.ellipse(
            x * width, y * height, across * width, down * height, angle
        )
    x, y, across, down = numbers("x", "y", "width", "height")
    return _annotations.rectangle(
        x * width, y * height, across * width, down * height, angle
    )


def _brush(code, size):
    """Mask bool [H, W] of Label Studio's run-length code of RGBA pixels."""
    values = unpack(code, 4 * size[0] * size[1])
    # RGBA of the brush: only the opacity says what is covered.
    return values.reshape(*size, 4)[..., 3] >= THRESHOLD


def unpack(code, expected):
    """Numbers of a packed run-length code, as the package rle-pack writes it.

    The bytes are read as bits: the number of values (32 bits), the bits of a value less
    one (5), the bits of four kinds of lengths less one (4 each). Blocks follow: a bit,
    whether one value is repeated; two bits, the kind of the length; the length less
    one; and the value or the values.

    Args:
        code: list of bytes.
        expected: number of values that there must be.

    Returns:
        uint8 [expected].

    Raises:
        ValueError: if the code is malformed or of another length.

    Example:
        >>> header = f"{3:032b}{8 - 1:05b}" + f"{4 - 1:04b}" * 4
        >>> bits = header + f"1{0:02b}{3 - 1:04b}{255:08b}"
        >>> bits += "0" * (-len(bits) % 8)
        >>> code = [int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)]
        >>> unpack(code, 3).tolist()
        [255, 255, 255]
    """
    try:
        data = np.frombuffer(bytes([*code]), "uint8")  # bytes(9) would be nine zeros
    except (TypeError, ValueError) as error:
        raise ValueError(f"a code of bytes is required: {error}") from error
    bits, place = np.unpackbits(data), 0
    weights = 1 << np.arange(32, dtype="int64")

    def read(width):
        nonlocal place
        part = bits[place : place + width]
        place += width
        if len(part) < width:
            raise ValueError("the code ends too early")
        return int(part[::-1] @ weights[:width])

    if read(32) != expected:
        raise ValueError(f"the code is not that of {expected} values")
    depth = read(5) + 1
    lengths = [read(4) + 1 for _ in range(4)]
    if depth > 8:
        raise ValueError(f"values of {depth} bits")
    values, num = np.zeros(expected, "uint8"), 0
    while num < expected:
        repeats = read(1)
        end = num + 1 + read(lengths[read(2)])
        if end > expected:
            raise ValueError("a run beyond the end")
        if repeats:
            values[num:end] = read(depth)
        else:
            part = bits[place : place + depth * (end - num)].reshape(-1, depth)
            if len(part) < end - num:
                raise ValueError("the code ends too early")
            place += part.size
            values[num:end] = part[:, ::-1] @ weights[:depth]
        num = end
    return values
