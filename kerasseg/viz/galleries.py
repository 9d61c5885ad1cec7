"""Galleries: images, labels, predictions and error maps side by side."""

import numpy as np

from kerasseg.viz.colors import IGNORED, check_label, colorize
from kerasseg.viz.legends import fit, frame, join, legend, line_px, text
from kerasseg.viz.overlays import check_same_size, display

WRONG = (213, 94, 0)  # vermillion of Okabe and Ito
TITLES = ("Image", "Label", "Prediction", "Errors")


def errors(image, label, prediction, *, ignore_label=255):
    """Error map: wrong pixels vermillion, on the darkened grey image.

    Args:
        image: [H, W] or [H, W, C]; see `display`.
        label: class ids [H, W].
        prediction: class ids [H, W].
        ignore_label: pixels of this label are shown in light grey; None if there is
            none.

    Returns:
        uint8 [H, W, 3], RGB.

    Raises:
        ValueError: if sizes differ, or ids are not integers from 0.

    Example:
        >>> errors(np.zeros([1, 2]), np.array([[0, 1]]), np.array([[0, 0]]))[0].tolist()
        [[0, 0, 0], [213, 94, 0]]
    """
    # Grey and dark: no colour of the image is mistaken for an error.
    picture = display(image).mean(-1, keepdims=True) * 0.6
    label, prediction = check_label(label), check_label(prediction)
    check_same_size(picture, label, "label")
    check_same_size(picture, prediction, "prediction")
    picture = np.repeat(picture.astype("uint8"), 3, axis=2)
    picture[label != prediction] = WRONG
    if ignore_label is not None:
        picture[label == ignore_label] = IGNORED
    return picture


def side_by_side(pictures, titles=None, *, height_px=320):
    """Pictures of any sizes in one row, with titles.

    Args:
        pictures: list of [H, W] or [H, W, C], any dtype; see `display`.
        titles: list of as many lines of text, or None.
        height_px: height to which all are enlarged or reduced; None takes the largest,
            and centres the others.

    Returns:
        uint8 [h, w, 3], RGB on white.

    Raises:
        ValueError: if there is no picture, or another number of titles.

    Example:
        >>> wide, high = np.zeros([10, 30], "uint8"), np.zeros([20, 10], "uint8")
        >>> side_by_side([wide, high], height_px=20).shape  # 60 and 10 wide, 8 around
        (36, 94, 3)
    """
    if not len(pictures) or (titles is not None and len(titles) != len(pictures)):
        raise ValueError(
            "`pictures` must hold one picture or more, and `titles` one for each. "
            f"Received: {len(pictures)} pictures, titles={titles!r}."
        )
    shown = [display(picture) for picture in pictures]
    if height_px is not None:
        sides = [height_px * max(1, max(x.shape) / len(x)) for x in shown]
        shown = [fit(x, round(side)) for x, side in zip(shown, sides)]
    if titles is not None:
        texts = [
            text(title, bold=True, width_px=max(x.shape[1], 40))
            for title, x in zip(titles, shown)
        ]
        shown = [join(pair, vertical=True, gap=2) for pair in zip(texts, shown)]
    return frame(join(shown))


def triptych(
    image,
    label,
    prediction,
    *,
    palette=None,
    class_names=None,
    ignore_label=255,
    panel_px=320,
):
    """Image, label, prediction and error map in one row with titles.

    Args:
        image: [H, W] or [H, W, C]; see `display`.
        label: class ids [H, W].
        prediction: class ids [H, W].
        palette: uint8 [K, 3]; None for `viz.palette`.
        class_names: names by class id; adds a legend of the classes that occur.
        ignore_label: id of pixels that are not scored, shown in light grey; None if
            there is none.
        panel_px: longer side of a panel.

    Returns:
        uint8 [h, w, 3], RGB on white, about 4 `panel_px` wide.
    """
    panels = _panels(image, label, prediction, palette, ignore_label, panel_px)
    titled = [
        join([text(title, bold=True), panel], vertical=True, gap=2)
        for title, panel in zip(TITLES, panels)
    ]
    rows = [join(titled)]
    if class_names is not None:
        ids = _class_ids([(label, prediction)], ignore_label)
        rows.append(_legend_below(class_names, palette, ids, rows[0].shape[1]))
    return frame(join(rows, vertical=True, gap=12))


def _panels(image, label, prediction, palette, ignore_label, panel_px):
    wrong = errors(image, label, prediction, ignore_label=ignore_label)
    photo = fit(display(image), panel_px)
    maps = [
        colorize(ids, palette, ignore_label=ignore_label) for ids in (label, prediction)
    ]
    return [photo, *[fit(m, panel_px) for m in maps], fit(wrong, panel_px)]


def _class_ids(pairs, ignore_label):
    ids = {int(i) for pair in pairs for ids in pair for i in np.unique(ids)}
    return sorted(ids - {ignore_label})


def _legend_below(class_names, palette, ids, width_px):
    """Legend in as few lines as the width allows."""
    # The fewest lines whose width fits below the panels.
    for lines in range(1, len(ids) + 1):
        height = lines * line_px()
        found = legend(class_names, palette, class_ids=ids, height_px=height)
        if found.shape[1] <= width_px:
            break
    return found


def gallery(
    groups,
    *,
    palette=None,
    class_names=None,
    ignore_label=255,
    panel_px=220,
    score_name="mean IoU",
):
    """Gallery of samples under headings: image, label, prediction, errors and score.

    Args:
        groups: {"Worst": [row, ...], "Best": [...]}; a row is a dict with "name",
            "score" (None for none), "image", "label" and "prediction".
        palette: uint8 [K, 3]; None for `viz.palette`.
        class_names: names by class id; adds a legend of the classes that occur.
        ignore_label: id of pixels that are not scored, shown in light grey; None if
            there is none.
        panel_px: longer side of a panel.
        score_name: name of the score, written before its value.

    Returns:
        uint8 [h, w, 3], RGB on white.

    Raises:
        ValueError: if `groups` holds no row.
    """

    def panels_of(row):
        pictures = row["image"], row["label"], row["prediction"]
        return _panels(*pictures, palette, ignore_label, panel_px)

    parts = sheet(groups, TITLES, panels_of, panel_px=panel_px, score_name=score_name)
    if class_names is not None:
        rows = [row for group in groups.values() for row in group]
        pairs = [(row["label"], row["prediction"]) for row in rows]
        ids = _class_ids(pairs, ignore_label)
        parts.append(_legend_below(class_names, palette, ids, parts[0].shape[1]))
    return frame(join(parts, vertical=True, gap=10))


def sheet(groups, titles, panels_of, *, panel_px, score_name):
    """Parts of a gallery: titles, headings, and a captioned row for each sample.

    Args:
        groups: {heading: [row, ...]}; a row is a dict with "name", "score" (None for
            none) and what `panels_of` needs.
        titles: of the panels.
        panels_of: function of a row that returns one picture per title.
        panel_px: longer side of a panel.
        score_name: name of the score, written before its value.

    Returns:
        List of uint8 [h, w, 3] to be joined vertically.

    Raises:
        ValueError: if `groups` holds no row.
    """
    if not any(groups.values()):
        raise ValueError("`groups` must hold at least one row. Received: none.")
    width = len(titles) * (panel_px + 8) - 8  # 8: the gap that `join` leaves
    parts = [join([_cell(text(title), panel_px) for title in titles])]
    for heading, group in groups.items():
        parts.append(text(heading, text_px=20, bold=True))
        for row in group:
            score = (
                "" if row["score"] is None else f"   {score_name} {row['score']:.3f}"
            )
            name = text(f"{row['name']}", width_px=width - 200)  # room for the score
            caption = join([name, text(score, bold=True)], gap=0)
            panels = [fit(panel, panel_px) for panel in panels_of(row)]
            cells = join([_cell(panel, panel_px) for panel in panels])
            parts.append(join([caption, cells], vertical=True, gap=2))
    return parts


def _cell(picture, width):
    pads = [(0, 0), (0, max(0, width - picture.shape[1])), (0, 0)]
    return np.pad(picture, pads, constant_values=255)
