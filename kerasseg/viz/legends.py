"""Legends, lines of text, and the layout of pictures side by side."""

import math

import cv2
import numpy as np

from kerasseg.viz.colors import colors_for

WHITE = 255
LEAST_PX = 200  # lower pictures would have no room for text
TEXT_COLOR = "0.15"  # matplotlib's grey level: nearly black


def legend(class_names, palette=None, *, class_ids=None, text_px=15, height_px=None):
    """Legend: colour patches with class names, in one or more columns.

    Args:
        class_names: names by class id.
        palette: uint8 [K, 3]; None for `viz.palette`.
        class_ids: ids to list, in order; None lists all.
        text_px: height of a line of text, 8 or more.
        height_px: largest height; columns are added to stay below it. None for one
            column.

    Returns:
        uint8 [h, w, 3], RGB on white.

    Raises:
        ValueError: if a listed class has no name or no colour.

    Example:
        >>> one, two = legend(["road", "sky"]), legend(["road", "sky"], height_px=30)
        >>> one.shape[0] > two.shape[0], one.shape[1] < two.shape[1]
        (True, True)
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
    # Columns of equal length look better than full ones and a remainder.
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
    swatch[:] = (color * 0.6).astype("uint8")  # a border for pale colours on white
    swatch[1:-1, 1:-1] = color
    return swatch


def text(string, *, text_px=15, bold=False, width_px=None):
    """Render one line of text: uint8 [h, w, 3], dark on white.

    Text wider than `width_px` is shortened in the middle, so that both ends of a file
    name stay.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # Agg without pyplot: pyplot keeps global state and may open windows.
    figure = Figure(figsize=(1, 1), dpi=100)
    canvas = FigureCanvasAgg(figure)
    line = figure.text(
        0,
        0.5,
        string.replace("\n", " ") or " ",
        fontsize=0.72 * text_px,  # 100 dots per inch, 72 points per inch
        color=TEXT_COLOR,
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
    """Join pictures in a row or a column on white.

    Args:
        pictures: list of uint8 [h, w, 3].
        vertical: one below the other, aligned at the left, instead of side by side.
        gap: pixels between them.
        align: vertical alignment in a row, "center" or "start" (top).

    Returns:
        uint8 [H, W, 3].
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
    """Add a white margin of `margin` px on all sides."""
    pads = [(margin, margin), (margin, margin), (0, 0)]
    return np.pad(picture, pads, constant_values=WHITE)


def with_legend(picture, legend):
    """Put a legend to the right of a picture, with a margin around both.

    A picture lower than 200 px is first enlarged by a whole factor.

    Args:
        picture: uint8 [h, w, 3].
        legend: of `legend`.

    Returns:
        uint8 [H, W, 3].
    """
    factor = math.ceil(LEAST_PX / picture.shape[0])
    if factor > 1:
        picture = picture.repeat(factor, 0).repeat(factor, 1)
    return frame(join([picture, legend], gap=12, align="start"))


def fit(picture, size_px, *, smooth=True):
    """Resize a picture so that its longer side is `size_px`.

    Enlarging is by nearest neighbour: interpolated label maps would show colours of
    classes that do not occur.
    """
    scale = size_px / max(picture.shape[:2])
    size = [max(1, round(side * scale)) for side in picture.shape[1::-1]]
    shrink = smooth and scale < 1
    method = cv2.INTER_AREA if shrink else cv2.INTER_NEAREST
    return cv2.resize(picture, size, interpolation=method)
