"""Colour palettes, and label maps in colours."""

import functools

import cv2
import numpy as np

# Okabe and Ito's palette, safe for the common colour deficiencies; 0 is black.
# https://jfly.uni-koeln.de/color/
OKABE_ITO = (
    (0, 0, 0),
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
IGNORED = (224, 224, 224)  # light grey: no class colour is a grey


def palette(num):
    """Palette of distinct colours, one per class id.

    The first eight are the Okabe-Ito colours (safe for colour-blind readers), class 0
    is black. Each further one is the colour farthest from all before it in CIELAB, so a
    longer palette starts with the shorter one. After 256 they repeat, without black.

    Args:
        num: number of colours, 1 or more.

    Returns:
        uint8 [num, 3], RGB.

    Raises:
        ValueError: if `num` is below 1.

    Example:
        >>> palette(2).tolist()
        [[0, 0, 0], [230, 159, 0]]
    """
    if num < 1:
        raise ValueError(f"`num` must be 1 or more. Received: num={num}.")
    colors = np.array(OKABE_ITO if num <= len(OKABE_ITO) else _palette_256(), "uint8")
    index = np.arange(num)
    return colors[np.where(index < 256, index, 1 + (index - 1) % 255)]


@functools.cache
def _palette_256():
    """256 colours: Okabe-Ito, then greedily the farthest in CIELAB."""
    steps = np.linspace(0, 255, 12).round()  # 1728 candidates
    candidates = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 3)
    lab = _lab(candidates)
    # Greys would pass for background or ignored pixels; saturated colours would
    # distract from the photograph.
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    vivid = (chroma > 22) & (chroma < 80) & (lab[:, 0] > 28) & (lab[:, 0] < 92)
    candidates, lab = candidates[vivid], lab[vivid]
    chosen = [np.array(color, float) for color in OKABE_ITO]
    used = _lab(np.array([*chosen, IGNORED], float))
    distance = np.linalg.norm(lab[:, None] - used, axis=-1).min(1)
    while len(chosen) < 256:
        best = int(distance.argmax())
        chosen.append(candidates[best])
        distance = np.minimum(distance, np.linalg.norm(lab - lab[best], axis=-1))
    return tuple(tuple(int(value) for value in color) for color in chosen)


def _lab(colors):
    pixels = (colors / 255).astype("float32")[None]
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)[0]


def colorize(label, palette=None, *, ignore_label=255):
    """Label map in the colours of its classes.

    Args:
        label: class ids [H, W], integers.
        palette: uint8 [K, 3], RGB; None for `viz.palette`.
        ignore_label: id shown in light grey; None if there is none.

    Returns:
        uint8 [H, W, 3], RGB.

    Raises:
        ValueError: if an id has no colour.

    Example:
        >>> colorize(np.array([[0, 1, 255]]))[0].tolist()
        [[0, 0, 0], [230, 159, 0], [224, 224, 224]]
    """
    label = check_label(label)
    ignored = (
        np.zeros(label.shape, bool) if ignore_label is None else label == ignore_label
    )
    ids = np.where(ignored, 0, label)
    picture = colors_for(int(ids.max(initial=0)) + 1, palette)[ids]
    picture[ignored] = IGNORED
    return picture


def colors_for(num, colors=None):
    """Palette checked to hold `num` colours, None for the default: uint8 [K, 3]."""
    colors = palette(num) if colors is None else np.asarray(colors)
    if colors.ndim != 2 or colors.shape[1] != 3 or len(colors) < num:
        raise ValueError(
            f"`palette` must be [K, 3] with a colour for each class id up to {num - 1}."
            f" Received: shape={colors.shape}."
        )
    return colors.astype("uint8")


def check_label(label):
    """Class ids as checked int32 [H, W]."""
    label = np.asarray(label)
    if label.ndim != 2 or label.dtype.kind not in "iub":
        raise ValueError(
            "`label` must be integer class ids [H, W]. "
            f"Received: shape={label.shape}, dtype={label.dtype}."
        )
    if label.min(initial=0) < 0:
        raise ValueError(f"Class ids must be >= 0. Received: {int(label.min())}.")
    return label.astype("int32", copy=False)
