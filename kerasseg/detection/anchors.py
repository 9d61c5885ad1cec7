"""Anchor boxes of a feature pyramid (numpy: they are constants of a model)."""

import math

import numpy as np

MAX_ANCHORS = 5_000_000  # an image of 800 x 1333 px has 270,000


def anchors(
    level_sizes,
    strides,
    *,
    scales,
    ratios=(0.5, 1.0, 2.0),
    offset=0.5,
    whole=False,
):
    """Anchors of several scales and aspect ratios at every position of every level.

    Args:
        level_sizes: (rows, columns) of the features of each level, fine to coarse.
        strides: pixels of the image per position, one per level, or (down, right).
        scales: for each level the side of a square anchor in pixels, or several.
        ratios: aspect ratios, height / width; anchors of one scale have the same area.
        offset: centre of the first anchor in strides: 0.5 is the centre of the pixels
            that a position covers, 0 their corner.
        whole: round the sides of anchors about their centre, as torchvision.

    Returns:
        float32 [A, 4], (x1, y1, x2, y2), not clipped to the image. Ordered by level,
        row, column, scale, ratio (the last one varies fastest), as the output [N, rows,
        columns, scales * ratios * 4] of a head, reshaped to [N, -1, 4].

    Raises:
        ValueError: if there is not one stride and one scale per level, or one of them
            or of the ratios is not positive, or there are too many.

    Example:
        >>> anchors([(1, 2)], [4], scales=[8], ratios=[1.0]).tolist()
        [[-2.0, -2.0, 6.0, 6.0], [2.0, -2.0, 10.0, 6.0]]

    Reference: Ren et al., 2015, https://arxiv.org/abs/1506.01497
    """
    scales = [np.atleast_1d(np.asarray(scale, "float64")) for scale in scales]
    ratios = np.asarray(ratios, "float64")
    if not len(level_sizes) == len(strides) == len(scales):
        raise ValueError(
            "`level_sizes`, `strides` and `scales` must have one entry per level. "
            f"Received: {len(level_sizes)}, {len(strides)} and {len(scales)}."
        )
    if not all((values > 0).all() for values in [*scales, ratios, np.array(strides)]):
        raise ValueError(
            "`strides`, `scales` and `ratios` must be positive. Received: "
            f"strides={strides}, scales={scales}, ratios={ratios}."
        )
    num = sum(
        math.prod(map(int, size)) * len(scale) * len(ratios)
        for size, scale in zip(level_sizes, scales)
    )
    if num > MAX_ANCHORS:
        raise ValueError(
            f"At most {MAX_ANCHORS} anchors are made. Received: {num}. Take a smaller "
            "image size, or fewer scales."
        )
    halves = [_shapes(scale, ratios) for scale in scales]
    halves = [half.round() for half in halves] if whole else halves
    levels = [
        _level(size, np.broadcast_to(stride, 2), half, offset)
        for size, stride, half in zip(level_sizes, strides, halves)
    ]
    return np.concatenate(levels).astype("float32")


def _shapes(scales, ratios):
    """Half widths and half heights of the anchors of one position: [S * R, 2]."""
    # Same area for all ratios: width * height = scale^2.
    widths = scales[:, None] / np.sqrt(ratios)
    return np.stack([widths, widths * ratios], -1).reshape(-1, 2) / 2


def _level(size, strides, halves, offset):
    rows, columns = ((np.arange(n) + offset) * step for n, step in zip(size, strides))
    y, x = np.meshgrid(rows, columns, indexing="ij")
    centres = np.stack([x, y], -1).reshape(-1, 1, 2)  # [P, 1, 2], halves [S * R, 2]
    return np.concatenate([centres - halves, centres + halves], -1).reshape(-1, 4)
