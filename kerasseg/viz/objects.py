"""Instances on top of images: outlines, translucent masks, classes and scores."""

import math

import cv2
import numpy as np

from kerasseg.viz.colors import colors_for
from kerasseg.viz.colors import palette as default_palette
from kerasseg.viz.galleries import sheet
from kerasseg.viz.legends import TEXT_COLOR, frame, join
from kerasseg.viz.overlays import check_same_size, display, overlay

MAX_LABELS = 40  # more text would hide the image
MIN_LABELLED_PX = 400  # longer side; smaller images have no room for text


def instances(
    image,
    found,
    *,
    class_names=None,
    palette=None,
    alpha=0.35,
    labels="auto",
):
    """Overlay instances on an image: tinted masks, outlines, class names and scores.

    Args:
        image: [H, W] or [H, W, C], any dtype; see `display`.
        found: `Instances`, or an object with boxes [K, 4], classes [K], scores [K] and
            masks bool [K, H, W], best first.
        class_names: C names, without background; None writes scores alone, as does a
            single class.
        palette: uint8 [C, 3], one colour per class. None gives each instance a colour
            of its own, so that neighbours differ; see `viz.palette`.
        alpha: opacity of the masks, 0..1. Outlines are opaque; the best instance is in
            front.
        labels: whether to write class names and scores; "auto" writes them for up to
            40 instances.

    Returns:
        uint8 [H, W, 3]; with labels, an image below 400 px is enlarged by a whole
        factor.

    Raises:
        ValueError: if masks have another size than the image, or a class has no colour
            or no name.
    """
    picture, masks = display(image), np.asarray(found.masks)
    check_same_size(picture, np.empty(masks.shape[1:]), "masks")
    classes = np.asarray(found.classes)
    if class_names is not None and classes.max(initial=-1) >= len(class_names):
        raise ValueError(
            f"`class_names` must name every class up to {classes.max()}. "
            f"Received: {len(class_names)} names."
        )
    colors = _colors(classes, palette)
    if labels == "auto":
        labels = len(masks) <= MAX_LABELS
    scale = math.ceil(MIN_LABELLED_PX / max(picture.shape[:2])) if labels else 1
    picture = _enlarge(picture, scale)
    for mask, color in zip(masks[::-1], colors[::-1]):
        _paint(picture, mask, color, alpha, scale)
    if not labels or not len(masks):
        return picture
    captions = _captions(classes, np.asarray(found.scores), class_names)
    boxes = np.asarray(found.boxes) * scale
    return _write_captions(picture, captions, boxes, colors)


def color_objects(image, ids, *, alpha=0.45):
    """Overlay a map of objects on an image, each in a colour of its own.

    Args:
        image: [H, W] or [H, W, C], any dtype; see `display`.
        ids: integers [H, W], 0 where no object is: what `classical.split_instances` or
            `Instances.to_label_map` returns.
        alpha: opacity of the tint, 0..1; outlines are opaque.

    Returns:
        uint8 [H, W, 3]. After 255 objects colours come again.

    Raises:
        ValueError: if sizes differ, or ids are no integers from 0.

    Example:
        >>> photo, ids = np.zeros([1, 3, 3], "uint8"), np.array([[0, 1, 2]])
        >>> color_objects(photo, ids, alpha=1.0)[0].tolist()
        [[0, 0, 0], [230, 159, 0], [86, 180, 233]]
    """
    return overlay(image, ids, alpha=alpha, ignore_label=None)


def instance_gallery(groups, *, panel_px=300, score_name="AP"):
    """Gallery of samples under headings: image, truth, found instances and score.

    Args:
        groups: {"Worst": [row, ...], "Best": [...]}; a row is a dict with "name",
            "score" (None for none), "image", and "truth" and "found" as `instances`
            takes them.
        panel_px: longer side of a panel.
        score_name: name of the score, written before its value.

    Returns:
        uint8 [h, w, 3], RGB on white.

    Raises:
        ValueError: if `groups` holds no row.
    """

    def panels_of(row):
        found = (row["truth"], row["found"])
        both = [instances(row["image"], one, labels=False) for one in found]
        return [display(row["image"]), *both]

    titles = ("Image", "Truth", "Found")
    parts = sheet(groups, titles, panels_of, panel_px=panel_px, score_name=score_name)
    return frame(join(parts, vertical=True, gap=10))


def _colors(classes, palette):
    if palette is not None:
        return colors_for(int(classes.max(initial=0)) + 1, palette)[classes]
    return default_palette(len(classes) + 1)[1:]  # without black


def _enlarge(picture, scale):
    return picture.repeat(scale, 0).repeat(scale, 1)


def _paint(picture, mask, color, alpha, scale):
    """Tint and outline one instance, within its box, in place."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    if not len(rows):
        return
    y1, y2, x1, x2 = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    inside = _enlarge(mask[y1:y2, x1:x2].astype("uint8"), scale)
    part = picture[y1 * scale : y2 * scale, x1 * scale : x2 * scale]
    tinted = part[inside > 0] * (1 - alpha) + color * alpha
    part[inside > 0] = tinted.round().astype("uint8")
    width = max(1, round(max(picture.shape[:2]) / 300))
    # Padded by background: OpenCV erodes nothing at the border of an array.
    padded, square = np.pad(inside, 1), np.ones([3, 3], "uint8")
    core = cv2.erode(padded, square, iterations=width)[1:-1, 1:-1]
    part[(inside > 0) & (core == 0)] = color


def _captions(classes, scores, class_names):
    scores = [f"{score:.2f}".replace("0.", ".") for score in scores]
    if class_names is None or len(class_names) == 1:
        return scores
    return [f"{class_names[c]} {score}" for c, score in zip(classes, scores)]


def _write_captions(picture, captions, boxes, colors):
    """Write a caption at the upper left corner of each box."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height, width = picture.shape[:2]
    figure = Figure(figsize=(width / 100, height / 100), dpi=100)
    figure.patch.set_alpha(0)
    canvas = FigureCanvasAgg(figure)
    # In reverse order: the caption of the best instance is in front.
    for caption, box, color in reversed(list(zip(captions, boxes, colors))):
        is_bright = color @ (0.299, 0.587, 0.114) > 110  # luma of ITU-R BT.601
        figure.text(
            np.clip(box[0] / width, 0, 0.95),
            np.clip(1 - box[1] / height, 0.03, 1),
            str(caption),
            fontsize=7,
            color=TEXT_COLOR if is_bright else "white",
            verticalalignment="top",
            parse_math=False,  # a "$" in a name is a dollar
            bbox={"facecolor": color / 255, "edgecolor": "none", "pad": 1.0},
        )
    canvas.draw()
    rendered = np.asarray(canvas.buffer_rgba()).astype("float32")
    opacity = rendered[..., 3:] / 255
    mixed = picture * (1 - opacity) + rendered[..., :3] * opacity
    return mixed.round().astype("uint8")
