"""Checks of single options of prediction; nothing here imports tensorflow or keras."""

import numbers

SCALES, MOST_SCALES = (0.1, 4), 8  # least and largest factor, and how many
BORDERS = ("edge", "mirror")


def check_tile(tile_px):
    """Refuse what is no side of tiles, and no two sides; None is none.

    Raises:
        ValueError: if it is neither.
    """
    sides = tile_px if isinstance(tile_px, (tuple, list)) else (tile_px,) * 2
    whole = all(isinstance(side, numbers.Integral) for side in sides)
    if len(sides) != 2 or not (whole or tile_px is None):
        raise ValueError(
            "`tile_px` must be one whole number, or (height, width). "
            f"Received: tile_px={tile_px!r}."
        )


def check_border(border):
    """Refuse anything but "edge" and "mirror"."""
    if border not in BORDERS:
        raise ValueError(f"`border` must be in {BORDERS}. Received: border={border!r}.")


def check_percentiles(percentiles):
    """Refuse what is no pair of ascending numbers in 0..100; None is none."""
    if percentiles is None:
        return
    if len(percentiles) != 2 or not 0 <= percentiles[0] < percentiles[1] <= 100:
        raise ValueError(
            "`percentiles` must be two numbers in 0..100, the smaller one first. "
            f"Received: percentiles={percentiles!r}."
        )


def check_scales(scales):
    """Refuse anything but None and a few factors of the size of images."""
    if scales is None:
        return
    several = isinstance(scales, (tuple, list)) and 1 <= len(scales) <= MOST_SCALES
    low, high = SCALES
    if not several or not all(
        isinstance(x, numbers.Real) and low <= x <= high for x in scales
    ):
        raise ValueError(
            f"`scales` must be None or up to {MOST_SCALES} numbers in {low}..{high}. "
            f"Received: scales={scales!r}."
        )
