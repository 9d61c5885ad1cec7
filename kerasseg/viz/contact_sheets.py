"""Contact sheets: many small pictures with their labels, suspects in a frame."""

import numpy as np

from kerasseg.viz.legends import fit, frame, join, legend, text
from kerasseg.viz.overlays import display, overlay

MARK = (213, 94, 0)  # vermillion of Okabe and Ito
FRAME_PX = 4
BLANK = 225  # grey of what cannot be shown


def contact_sheet(
    cells, *, palette=None, class_names=None, ignore_label=255, columns=6, panel_px=180
):
    """Small pictures with tinted labels in rows, each with its name.

    Args:
        cells: list of dicts of "name", "image" ([H, W, C] in 0..255, or None where it
            cannot be read), "label" (class ids [H, W], or None) and "mark" (why it is
            suspect, or None).
        palette: uint8 [K, 3]; None for `viz.palette`.
        class_names: names by class id; adds a legend of those that occur.
        ignore_label: id shown in light grey.
        columns: pictures in a row.
        panel_px: longer side of a picture.

    Returns:
        uint8 [h, w, 3], RGB on white.

    Raises:
        ValueError: if there are no cells.
    """
    if not cells:
        raise ValueError("`cells` must hold one picture or more. Received: none.")
    drawn = [_cell(cell, palette, ignore_label, panel_px) for cell in cells]
    rows = [
        join(drawn[start : start + columns], gap=6, align="start")
        for start in range(0, len(drawn), columns)
    ]
    parts = [join(rows, vertical=True, gap=8, align="start")]
    if class_names is not None:
        labels = [cell["label"] for cell in cells if cell["label"] is not None]
        ids = sorted({int(i) for label in labels for i in np.unique(label)})
        ids = [i for i in ids if 0 <= i < len(class_names) and i != ignore_label][:24]
        if ids:
            parts.append(legend(class_names, palette, class_ids=ids, height_px=90))
    return frame(join(parts, vertical=True, gap=12, align="start"))


def _cell(cell, palette, ignore_label, panel_px):
    picture = np.full([panel_px * 3 // 4, panel_px, 3], BLANK, "uint8")
    if cell["image"] is not None:
        picture = fit(_tinted(cell, palette, ignore_label), panel_px)
    if cell["mark"] is not None:
        for edge in (np.s_[:FRAME_PX], np.s_[-FRAME_PX:]):
            picture[edge] = MARK
            picture[:, edge] = MARK
    pads = [(0, 0), (0, max(0, panel_px - picture.shape[1])), (0, 0)]
    picture = np.pad(picture, pads, constant_values=255)
    lines = [text(cell["name"], text_px=11, width_px=panel_px)]
    lines.append(text(cell["mark"] or " ", text_px=11, bold=True, width_px=panel_px))
    return join([picture, *lines], vertical=True, gap=1, align="start")


def _tinted(cell, palette, ignore_label):
    image, label = display(cell["image"]), cell["label"]
    if label is None or label.shape != image.shape[:2]:
        return image
    return overlay(image, label, palette=palette, ignore_label=ignore_label)
