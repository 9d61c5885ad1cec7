"""Charts of training and evaluation, as figures and files."""

import math
import numbers

import numpy as np

from kerasseg.images.mask_kinds import check_counts

# Okabe and Ito's palette without black and yellow, the strongest contrast first.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
# Parts of keys that make a value a score: "mask_ap", "mean_iou".
SCORES = {"iou", "dice", "accuracy", "ap", "ap50", "ap75", "pq", "aji", "f1"}


def curves(rows, path=None, *, scores=()):
    """Plot loss, scores and learning rate over the training step.

    Args:
        rows: dicts with "step" and any of: keys that contain "loss"; keys with a part
            such as "iou", "dice", "accuracy", "ap" or "pq" ("mask_ap"); and
            "learning_rate". Rows need not all have the same keys; values that are not
            finite are left out. Or what `fit` of Keras returns, or its `history`: a
            dict of lists, one value per epoch; every metric of it is a score. At most
            six curves per panel are plotted.
        path: file to write; its suffix selects the format (.png, .svg, .pdf). None
            writes none.
        scores: further keys that are scores, by names of one's own.

    Returns:
        matplotlib Figure, which a notebook shows.

    Raises:
        ValueError: if no row holds anything to plot.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "curves.svg")
        >>> rows = [{"step": 1, "loss": 0.7}, {"step": 2, "loss": 0.5}]
        >>> figure = curves(rows, path)
        >>> os.path.exists(path)
        True
    """
    rows = getattr(rows, "history", rows)
    per_epoch = isinstance(rows, dict)
    if per_epoch:  # every metric of Keras is a score
        rows, scores = _rows(rows), {*rows}
    panels = [(title, keys) for title, keys in _group_keys(rows, scores) if keys]
    if not panels:
        raise ValueError(
            "`rows` must hold a 'step' and a loss, a score or a learning rate. "
            f"Received: {len(rows)} rows, the first {dict(rows[0]) if rows else None}."
        )
    from kerasseg.viz.figures import Chart

    figure = Chart(figsize=(8.5, 0.5 + 2.3 * len(panels)), layout="constrained")
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for ax, (title, keys) in zip(axes, panels):
        for key, color in zip(keys, COLORS):
            _plot(ax, *_series(rows, key), key, color)
        _style_axes(ax, title)
    axes[-1].set_xlabel("epoch" if per_epoch else "step")
    axes[-1].xaxis.get_major_locator().set_params(integer=True)
    figure.align_ylabels()
    if path is not None:
        figure.savefig(path, dpi=120)
    return figure


def differences(names, values, intervals, path=None, *, label="difference in points"):
    """Plot differences with their intervals; grey where the interval holds 0.

    Args:
        names: one per difference.
        values: differences of scores in 0..1, drawn in percent.
        intervals: (low, high) of each.
        path: file to write, as in `curves`.
        label: of the horizontal axis.

    Returns:
        matplotlib Figure, which a notebook shows.
    """
    from kerasseg.viz.figures import Chart

    figure = Chart(figsize=(7, 1 + 0.5 * len(names)), layout="constrained")
    ax = figure.subplots()
    for place, (value, (low, high)) in enumerate(zip(values, intervals)):
        color = "#888888" if low <= 0 <= high else COLORS[0]
        ax.plot([100 * low, 100 * high], [place, place], color=color, linewidth=3)
        ax.plot(100 * value, place, "o", color=color)
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlabel(label)
    if path is not None:
        figure.savefig(path, dpi=120)
    return figure


def _rows(history):
    """Rows, numbered from 1, of a dict of lists."""
    length = max(map(len, history.values()), default=0)
    return [
        {"step": i + 1, **{k: v[i] for k, v in history.items() if i < len(v)}}
        for i in range(length)
    ]


def _group_keys(rows, known):
    keys = list(dict.fromkeys(key for row in rows for key in row))
    keys = [key for key in keys if len(_series(rows, key)[0])]
    losses = [key for key in keys if "loss" in key]
    rates = [key for key in keys if key == "learning_rate"]
    others = [k for k in keys if k not in (*losses, *rates, "step")]
    scores = [k for k in others if k in known or SCORES & set(k.split("_"))]
    panels = [("loss", losses), ("score", scores), ("learning rate", rates)]
    return [(title, found[: len(COLORS)]) for title, found in panels]


def _series(rows, key):
    """Steps and finite values of one key: float64 [2, N]."""
    points = [
        (row["step"], row[key])
        for row in rows
        if isinstance(row.get(key), numbers.Real)
        and isinstance(row.get("step"), numbers.Integral)
        and math.isfinite(row[key])
    ]
    return np.array(points, float).reshape(-1, 2).T


def _plot(ax, steps, values, key, color):
    words = {"iou": "IoU", "ap": "AP", "ap50": "AP50", "ap75": "AP75"}
    words |= {"pq": "PQ", "aji": "AJI", "f1": "F1"}
    name = " ".join(words.get(word, word) for word in key.split("_"))
    if "loss" not in key or len(values) <= 150:  # few points: no smoothing
        marker = "o" if len(values) <= 40 else None
        ax.plot(steps, values, color=color, marker=marker, markersize=3, label=name)
        return
    # A loss per step is noisy: pale values, and their running mean on top.
    window = len(values) // 40
    smooth = np.convolve(values, np.full(window, 1 / window), mode="valid")
    middle = steps[(window - 1) // 2 :][: len(smooth)]
    ax.plot(steps, values, color=color, alpha=0.25, linewidth=0.8)
    ax.plot(middle, smooth, color=color, label=f"{name}\n(mean of {window})")


def _style_axes(ax, title):
    ax.set_ylabel(title)
    lines = [line.get_ydata() for line in ax.lines]
    low, high = min(map(min, lines)), max(map(max, lines))
    if title == "loss" and low > 0 and high / low > 30:
        ax.set_yscale("log")
    elif title == "score" and low >= 0 and high <= 1:
        ax.set_ylim(0, 1.02)
    else:
        ax.set_ylim(min(0, low), max(0, high) + 0.06 * (high - min(0, low)) or 1)
    ax.grid(color="0.9")
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    names = ax.get_legend_handles_labels()[1]
    if names != [title]:
        # Outside of the axes, where it hides no data.
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)


def confusion(matrix, class_names=None, path=None):
    """Plot a confusion matrix, in percent of each label's pixels.

    Cells are annotated up to 25 classes. A label without pixels has an empty row.

    Args:
        matrix: counts [K, K], rows are labels, columns are predictions.
        class_names: K names; None takes 0, 1, ...
        path: file to write; its suffix selects the format (.png, .svg, .pdf). None
            writes none.

    Returns:
        matplotlib Figure, which a notebook shows.

    Raises:
        ValueError: if `matrix` is not [K, K], or without names is no confusion
            matrix but a label map, in which most neighbours are alike.
    """
    matrix = np.asarray(matrix)
    if class_names is None and matrix.ndim == 2 and len({*matrix.shape}) == 1:
        check_counts(matrix)
    class_names = range(len(matrix)) if class_names is None else class_names
    num = len(class_names)
    if matrix.shape != (num, num):
        raise ValueError(
            "`matrix` must be [K, K] with K class names. "
            f"Received: shape={matrix.shape}, {num} names."
        )
    from kerasseg.viz.figures import Chart

    total = matrix.sum(1, keepdims=True)
    share = np.where(total > 0, 100 * matrix / np.maximum(total, 1), np.nan)
    cell = 0.48 if num <= 25 else max(0.16, 12 / num)  # inches
    side = max(2.4, cell * num)
    figure = Chart(figsize=(side + 2.6, side + 1.8), layout="constrained")
    ax = figure.subplots()
    ax.set_facecolor("0.93")  # shows through where a label has no pixels
    heat = ax.imshow(share, cmap="Blues", vmin=0, vmax=100)
    _name_axes(ax, [str(name).replace("$", r"\$") for name in class_names], side)
    if num <= 25:
        _annotate_cells(ax, share)
    bar = {"label": "% of the label's pixels", "shrink": 0.8, "aspect": 30}
    figure.colorbar(heat, ax=ax, **bar).outline.set_visible(False)
    if path is not None:
        figure.savefig(path, dpi=120, bbox_inches="tight", pad_inches=0.15)
    return figure


def _name_axes(ax, names, side):
    """Class names along both axes; those below are rotated if they would overlap."""
    num = len(names)
    size = min(9, 72 * 0.7 * side / num)  # points
    # 0.62: about the width of a letter over the font size, which is in 1/72 inch.
    longest = max(map(len, names), default=0) * size * 0.62 / 72  # inches
    rotation = 0 if longest < side / num else 90 if num > 6 else 45
    ax.set_xticks(range(num), names, rotation=rotation, fontsize=size)
    for tick in ax.get_xticklabels():
        tick.set_horizontalalignment("right" if rotation == 45 else "center")
    ax.set_yticks(range(num), names, fontsize=size)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("prediction")
    ax.set_ylabel("label")


def _annotate_cells(ax, share):
    for (row, column), value in np.ndenumerate(share):
        if not np.isfinite(value) or value < 0.05:
            continue  # zeros would hide the pattern
        number = f"{value:.1f}" if value < 99.95 else "100"
        color = "white" if value > 55 else "0.2"
        place = {"ha": "center", "va": "center", "fontsize": 8}
        ax.text(column, row, number, color=color, **place)
