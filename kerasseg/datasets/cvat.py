"""CVAT's XML of polygons, masks and boxes, of images or of the frames of a video."""

import collections
import dataclasses
import functools
import pathlib
import re

import numpy as np

from kerasseg.datasets import _annotations, _coco_json, _sniff, _xml
from kerasseg.datasets._annotations import Annotated, Annotations, LeftOut, Shape
from kerasseg.datasets._forms import reads
from kerasseg.datasets._image_index import ImageIndex
from kerasseg.images import ImageError, check_folder

KINDS = (
    "polygon",
    "mask",
    "box",
    "ellipse",
    "polyline",
    "points",
    "cuboid",
    "skeleton",
)
TAGS = ("tag", "attribute")
FRAME = re.compile(r"frame_(\d+)", re.I)  # as CVAT calls the images of a video


def _files(root):
    # A folder of Pascal VOC holds an XML file per image: enough are looked at to tell.
    files = _sniff.files_of(root, ".xml")[: 50 * _sniff.SAMPLE]
    return [path for path in files if _is_cvat(_sniff.ends_of(path, 4096))]


def _is_cvat(text):
    # VOC's root is <annotation>; these are what CVAT alone writes.
    kinds = ("image", "meta", "track")
    return "<annotations" in text and any(f"<{x}" in text for x in kinds)


def _found(root):
    files = _files(root)
    return files[0].name if files else None


@reads("CVAT XML", _found)
def cvat(root, split=None, *, ignore_label=255, val_fraction=0.2, boxes="skip"):
    """Objects of CVAT's own XML, "CVAT for images 1.1" or "CVAT for video 1.1".

    Of a video each frame is read that has an image: frame 7 is `frame_000007`, or, if
    no file is called so, the eighth of as many images as the video has frames. A shape
    of a track is there until it is `outside`.

    Polygons, masks and ellipses are objects; shapes of one label and one `group_id`
    above 0 in an image are parts of one object. Points and lines have no area and are
    counted. Classes are the labels of the task, in its order.

    Args:
        root: folder with the XML file, or several, and the images.
        split: None for all; "train", "val", "test" as the `subset` of the images says,
            or by rule as in `folder`.
        ignore_label: id of ignored pixels.
        val_fraction: share of the images in "val" where there are no splits.
        boxes: "skip" leaves boxes out, "fill" makes the rectangle a mask.

    Returns:
        Samples as those of `coco`.

    Raises:
        ImageError: naming file and line, if something is wrong.
        ValueError: for another value of `boxes`.

    Reference: https://docs.cvat.ai/docs/manual/advanced/xml_format
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
    files = _files(root)
    if not files:
        raise ImageError(root, "CVAT's XML", "none", "Export 'CVAT for images 1.1'")
    index, left_out, jobs, classes = ImageIndex(root), LeftOut(), [], {}
    for path in files:
        tree = _xml.read(path)
        classes |= dict.fromkeys(_labels(tree))
        if tree.all("track"):
            jobs += _of_video(path, tree, index, boxes, left_out)
        for element in tree.all("image"):
            given = element.attributes
            size = tuple(
                _whole(path, element, name) if name in given else None
                for name in ("height", "width")
            )
            shapes = [
                shape
                for child in element.children
                if (shape := _shape(path, child, boxes, left_out))
            ]
            image = index.find(given.get("name"), path)
            subset = given.get("subset") or None
            # CVAT's name for tasks without splits.
            if subset == "default":
                subset = None
            size = None if None in size else size
            jobs.append(Annotated(image, path, shapes, size, subset))
    return Annotations(jobs, tuple(classes), left_out.notes())


def _of_video(path, tree, index, boxes, left_out):
    """`Annotated` of the frames that have an image."""
    shapes = collections.defaultdict(list)
    for track in tree.all("track"):
        label = {"label": track.attributes.get("label")}
        for child in track.children:
            if child.tag in TAGS or child.attributes.get("outside") == "1":
                continue
            # The label stands at the track, once for all of its frames.
            given = dataclasses.replace(child, attributes=label | child.attributes)
            if shape := _shape(path, given, boxes, left_out):
                shapes[_whole(path, child, "frame")].append(shape)
    files = _frames(path, tree, index)
    for frame in sorted({*shapes} - {*files}):
        left_out.add("annotated frames without an image", f"frame {frame}")
    return [Annotated(files[n], path, shapes[n], None, None) for n in sorted(files)]


def _frames(path, tree, index):
    """Image file of each frame of a video, by number."""
    named = {FRAME.fullmatch(image.stem): image for image in index.files}
    named.pop(None, None)
    if named:
        return {int(match[1]): image for match, image in named.items()}
    meta = tree.first("meta")
    size = next(
        (x for k in ("task", "job") if meta and (x := meta.first(k, "size"))), None
    )
    if size is None or size.text.strip() != str(len(index.files)):
        raise ImageError(
            path,
            "the frames of the video as images, frame_000000.png and so on",
            f"{len(index.files)} images of other names",
            "Export as 'CVAT for video 1.1' or 'CVAT for images 1.1', with images",
        )
    return dict(enumerate(index.files))


def _labels(tree):
    """Names of the labels of a task, a job or a project."""
    meta = tree.first("meta")
    for kind in ("task", "job", "project"):
        labels = meta and meta.first(kind, "labels")
        if labels:
            names = [label.first("name") for label in labels.all("label")]
            return [name.text.strip() for name in names if name is not None]
    return []


def _shape(path, element, boxes, left_out):
    """`Shape` of an element; None if it has no area."""
    kind, given = element.tag, element.attributes
    where = f"line {element.line}"
    if kind in TAGS:
        return None
    if kind not in KINDS or not given.get("label"):
        raise ImageError(
            path,
            f"shapes with a label: {', '.join(KINDS)}",
            f"{where}: {kind} {given.get('label')!r}",
            "Export it again",
        )
    # 0 is CVAT's "no group".
    group = given.get("group_id")
    shape = Shape(
        given["label"], where, group=group if group not in ("0", "") else None
    )

    def numbers(*names):
        return _annotations.finite(path, where, [given.get(name) for name in names])

    if kind == "polygon":
        # "x,y;x,y": the two separators tell nothing that the order does not.
        points = given.get("points", "").replace(";", ",").split(",")
        return shape._replace(rings=(_annotations.finite(path, where, points),))
    if kind == "ellipse":
        angle = given.get("rotation", "0")
        ring = _annotations.ellipse(
            *numbers("cx", "cy", "rx", "ry"), *_annotations.finite(path, where, [angle])
        )
        return shape._replace(rings=(ring,))
    if kind == "mask":
        counts = given.get("rle", "").split(",")
        place = [_whole(path, element, x) for x in ("left", "top", "width", "height")]
        read = functools.partial(_mask, path, where, counts, place)
        return shape._replace(mask=read)
    if kind == "box" and boxes == "fill":
        x1, y1, x2, y2 = numbers("xtl", "ytl", "xbr", "ybr")
        angle = np.radians(float(given.get("rotation") or 0))
        cos, sin = np.cos(angle), np.sin(angle)
        centre = np.array([x1 + x2, y1 + y2]) / 2
        corners = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]]) - centre
        # y points down, so that positive angles turn clockwise, as CVAT shows them.
        turned = corners @ np.array([[cos, sin], [-sin, cos]]) + centre
        return shape._replace(rings=(turned.ravel().tolist(),))
    reason = "boxes without an outline (boxes=fill takes them)"
    if kind != "box":
        reason = f"shapes of kind {kind!r} without an area"
    left_out.add(reason, path.name)
    return None


def _whole(path, element, name):
    given = element.attributes.get(name, "")
    try:
        number = int(float(given))
        if abs(number) < 2**31:
            return number
    except (ValueError, OverflowError):
        pass
    raise ImageError(
        path,
        f"a whole number {name}",
        f"line {element.line}: {given!r}"[:80],
        "Correct",
    )


def _mask(path, where, counts, place, size):
    """Mask of runs of 0 and 1 in turn, row by row within a box, beginning with 0."""
    left, top, width, height = place
    numbers = np.array(_annotations.finite(path, where, counts))
    fits = (
        left >= 0 and top >= 0 and left + width <= size[1] and top + height <= size[0]
    )
    if not fits or width < 1 or height < 1:
        raise ValueError(f"a mask of {width} x {height} at {left}, {top}")
    if (numbers < 0).any() or numbers.sum() != width * height:
        raise ValueError(f"runs of {numbers.sum():.0f} pixels for {width} x {height}")
    # Lengths of zeros and ones in turn, along rows, within the box of the mask alone.
    runs = np.repeat(np.arange(len(numbers)) % 2 == 1, numbers.astype(int))
    mask = np.zeros(size, bool)
    mask[top : top + height, left : left + width] = runs.reshape(height, width)
    return mask
