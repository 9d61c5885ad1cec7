"""Objects on top of images: outlines, translucent masks, classes and scores."""

import math

import cv2
import numpy as np

from kerasseg.viz.colors import colors_for
from kerasseg.viz.colors import palette as default_palette
from kerasseg.viz.galleries import sheet
from kerasseg.viz.legends import INK, frame, join
from kerasseg.viz.overlays import check_same_size, display

MOST_LABELS = 40  # more would hide the image
SMALLEST_PX = 400  # a picture with words is enlarged to about this


def instances(
    image,
    found,
    *,
    class_names=None,
    palette=None,
    alpha=0.35,
    labels="auto",
):
    """The image with each object tinted, outlined, and named with its score.

    Args:
        image: [H, W] or [H, W, C], any dtype; see `display`.
        found: `Instances`, or anything with boxes [K, 4], classes [K], scores [K] and
            masks bool [K, H, W], best first.
        class_names: C names, no background; None writes scores alone, as it does for a
            single class.
        palette: uint8 [C, 3], a colour a class. None gives each object a colour of its
            own, so that neighbours can be told apart; colours are safe for colour-blind
            readers, see `viz.palette`.
        alpha: opacity of the tint, 0..1. Outlines are opaque; the best is in front.
        labels: whether to write classes and scores, True or False; "auto" up to 40
            objects.

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
        labels = len(masks) <= MOST_LABELS
    factor = math.ceil(SMALLEST_PX / max(picture.shape[:2])) if labels else 1
    picture = _enlarge(picture, factor)
    for mask, color in zip(masks[::-1], colors[::-1]):
        _draw(picture, mask, color, alpha, factor)
    if not labels or not len(masks):
        return picture
    words = _words(classes, np.asarray(found.scores), class_names)
    boxes = np.asarray(found.boxes) * factor
    return _write(picture, words, boxes, colors)


def instance_gallery(groups, *, panel_px=300, score_name="AP"):
    """Rows of image, truth and found objects under headings, with scores.

    Args:
        groups: {"Worst": [row, ...], "Best": [...]}; a row is a dict with "name",
            "score" (None for none), "image", and "truth" and "found" as `instances`
            takes them.
        panel_px: longer side of a panel.
        score_name: what the scores are.

    Returns:
        uint8 [h, w, 3], RGB on white.
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


def _enlarge(picture, factor):
    return picture.repeat(factor, 0).repeat(factor, 1)


def _draw(picture, mask, color, alpha, factor):
    """Tint and outline one object, in its box, in place."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    if not len(rows):
        return
    y1, y2, x1, x2 = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    inside = _enlarge(mask[y1:y2, x1:x2].astype("uint8"), factor)
    part = picture[y1 * factor : y2 * factor, x1 * factor : x2 * factor]
    tinted = part[inside > 0] * (1 - alpha) + color * alpha
    part[inside > 0] = tinted.round().astype("uint8")
    width = max(1, round(max(picture.shape[:2]) / 300))
    # Background all around, so that the outline is drawn along borders too.
    core = cv2.erode(np.pad(inside, 1), np.ones([3, 3], "uint8"), iterations=width)[
        1:-1, 1:-1
    ]
    part[(inside > 0) & (core == 0)] = color


def _words(classes, scores, class_names):
    scores = [f"{score:.2f}".replace("0.", ".") for score in scores]
    if class_names is None or len(class_names) == 1:
        return scores
    return [f"{class_names[c]} {score}" for c, score in zip(classes, scores)]


def _write(picture, words, boxes, colors):
    """The picture with a word at the upper left corner of each box."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height, width = picture.shape[:2]
    figure = Figure(figsize=(width / 100, height / 100), dpi=100)
    figure.patch.set_alpha(0)
    canvas = FigureCanvasAgg(figure)
    # The best is written last, in front.
    for word, box, color in reversed(list(zip(words, boxes, colors))):
        light = color @ (0.299, 0.587, 0.114) > 110
        figure.text(
            np.clip(box[0] / width, 0, 0.95),
            np.clip(1 - box[1] / height, 0.03, 1),
            str(word),
            fontsize=7,
            color=INK if light else "white",
            verticalalignment="top",
            parse_math=False,  # a "$" in a name is a dollar
            bbox={"facecolor": color / 255, "edgecolor": "none", "pad": 1.0},
        )
    canvas.draw()
    drawn = np.asarray(canvas.buffer_rgba()).astype("float32")
    opacity = drawn[..., 3:] / 255
    mixed = picture * (1 - opacity) + drawn[..., :3] * opacity
    return mixed.round().astype("uint8")
