"""Text, legends, and pictures set side by side."""

import math

import cv2
import numpy as np

from kerasseg.viz.colors import colors_for

WHITE = 255
INK = "0.15"


def legend(class_names, palette=None, *, class_ids=None, text_px=15, height_px=None):
    """Colour patches with class names, in as many columns as the height asks for.

    Args:
        class_names: names by class id.
        palette: uint8 [K, 3]; None for `viz.palette`.
        class_ids: ids to list, in order; None lists all.
        text_px: height of the letters' line, 8 or more.
        height_px: columns are added to stay below it; None for one column.

    Returns:
        uint8 [h, w, 3], RGB on white.
    """
    class_ids = range(len(class_names)) if class_ids is None else class_ids
    if max(class_ids, default=0) >= len(class_names):
        raise ValueError(
            f"`class_names` must name every class id up to {max(class_ids)}. "
            f"Received: {len(class_names)} names."
        )
    colors = colors_for(max(class_ids, default=0) + 1, palette)
    names = [text(str(class_names[i]), text_px=text_px) for i in class_ids]
    swatches = [_swatch(colors[i], text_px) for i in class_ids]
    rows = [join([s, n], gap=text_px // 2) for s, n in zip(swatches, names)]
    if not rows:
        return np.full([text_px, 1, 3], WHITE, "uint8")
    most = len(rows) if height_px is None else max(1, height_px // line_px(text_px))
    # Even columns look better than full ones and a remainder.
    most = math.ceil(len(rows) / math.ceil(len(rows) / most))
    columns = [
        join(rows[i : i + most], vertical=True, gap=text_px // 3)
        for i in range(0, len(rows), most)
    ]
    return join(columns, gap=text_px)


def line_px(text_px=15):
    """Height of one line of a legend, with the gap below it."""
    return int(1.45 * text_px) + text_px // 3


def _swatch(color, size):
    swatch = np.empty([size, round(1.4 * size), 3], "uint8")
    swatch[:] = (color * 0.6).astype("uint8")  # a rim, so that pale colours end
    swatch[1:-1, 1:-1] = color
    return swatch


def text(string, *, text_px=15, bold=False, width_px=None):
    """One line of text: uint8 [h, w, 3], dark on white.

    Longer than `width_px`, it loses letters in the middle, so that the ends of file
    names stay.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1, 1), dpi=100)
    canvas = FigureCanvasAgg(figure)
    line = figure.text(
        0,
        0.5,
        string.replace("\n", " ") or " ",
        fontsize=0.72 * text_px,  # 100 dots per inch, 72 points per inch
        color=INK,
        weight="bold" if bold else "normal",
        verticalalignment="center_baseline",
        parse_math=False,  # a "$" in a name is a dollar
    )
    width = line.get_window_extent().width
    if width_px is not None and width > width_px and len(string) > 3:
        keep = max(1, int(len(string) * width_px / width) - 2)
        short = f"{string[: (keep + 1) // 2]}…{string[len(string) - keep // 2 :]}"
        return text(short, text_px=text_px, bold=bold)
    figure.set_size_inches((width + 2) / 100, int(1.45 * text_px) / 100)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def join(pictures, *, vertical=False, gap=8, align="center"):
    """Pictures in a row (or a column) on white.

    Args:
        pictures: list of uint8 [h, w, 3].
        vertical: one below the other, at the left, instead of side by side.
        gap: pixels between them.
        align: "center" or "start", across the row; a column starts at the left.
    """
    axis = 0 if vertical else 1
    size = max(picture.shape[1 - axis] for picture in pictures)
    parts = []
    for picture in pictures:
        free = size - picture.shape[1 - axis]
        before = 0 if vertical or align == "start" else free // 2
        pads = [(0, 0), (0, 0), (0, 0)]
        pads[1 - axis] = (before, free - before)
        pads[axis] = (gap if parts else 0, 0)
        parts.append(np.pad(picture, pads, constant_values=WHITE))
    return np.concatenate(parts, axis)


def frame(picture, margin=8):
    """The picture with a white margin."""
    pads = [(margin, margin), (margin, margin), (0, 0)]
    return np.pad(picture, pads, constant_values=WHITE)


def beside(picture, key):
    """A picture with its legend at the right, both with a margin.

    A picture lower than 200 px is first enlarged by a whole factor.
    """
    factor = math.ceil(200 / picture.shape[0])
    if factor > 1:
        picture = picture.repeat(factor, 0).repeat(factor, 1)
    return frame(join([picture, key], gap=12, align="start"))


def fit(picture, size_px, *, smooth=True):
    """The picture scaled so that its longer side is `size_px`.

    Enlarging keeps hard pixels: an interpolated label map would show colours of
    classes that are not there.
    """
    scale = size_px / max(picture.shape[:2])
    size = [max(1, round(side * scale)) for side in picture.shape[1::-1]]
    shrink = smooth and scale < 1
    method = cv2.INTER_AREA if shrink else cv2.INTER_NEAREST
    return cv2.resize(picture, size, interpolation=method)
