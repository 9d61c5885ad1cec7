"""Seeds of region growing: points, markers, or a number of random points."""

import numbers

import numpy as np

from kerasseg.classical._inputs import check_labels, check_number


def read_seeds(seeds, size, seed):
    """Seed pixels of each region: list of int64 [n, 2] (row, column).

    Args:
        seeds: points, markers or a number of random points, see `region_growing`.
        size: (height, width) of the image.
        seed: of the random points.

    Raises:
        ValueError: if a seed lies outside of the image, or there is none.
    """
    if isinstance(seeds, numbers.Integral):
        return _random_points(seeds, size, seed)
    seeds = np.asarray(seeds)
    if seeds.shape == tuple(size):
        return marker_pixels(seeds, size)
    if seeds.ndim == 2 and seeds.shape[1] != 2 and seeds.size:
        check_labels(seeds, size, name="seeds")  # markers of another size
    return [point[None] for point in _points(seeds, size)]


def marker_pixels(markers, size, *, name="seeds"):
    """Pixels of each value 1, 2, ... of a marker map: list of int64 [n, 2]."""
    markers = check_labels(markers, size, name=name).ravel()
    pixels = np.flatnonzero(markers)
    if not len(pixels):
        raise ValueError(
            f"`{name}` must mark at least one pixel by 1 or more. Received: all zero."
        )
    pixels = pixels[np.argsort(markers[pixels], kind="stable")]
    starts = np.flatnonzero(np.diff(markers[pixels]))
    return np.split(np.stack(np.divmod(pixels, size[1]), 1), starts + 1)


def _random_points(num, size, seed):
    check_number(num, "seeds", 1, size[0] * size[1])
    rng = np.random.default_rng(seed)
    pixels = rng.choice(size[0] * size[1], int(num), replace=False)
    return [np.array([divmod(int(pixel), size[1])]) for pixel in pixels]


def _points(seeds, size):
    if seeds.ndim == 1:
        seeds = seeds[None]
    if seeds.ndim != 2 or seeds.shape[1:] != (2,) or seeds.dtype.kind not in "iu":
        raise ValueError(
            "`seeds` must be integers: points (row, column) [N, 2], markers of the "
            f"image's size {tuple(size)}, or a number. Received: shape={seeds.shape}, "
            f"dtype={seeds.dtype}."
        )
    outside = (seeds < 0) | (seeds >= np.array(size))
    if outside.any():
        first = seeds[outside.any(1)][0]
        raise ValueError(
            f"`seeds` must be (row, column) inside the image of {tuple(size)}. "
            f"Received: {tuple(int(v) for v in first)}."
        )
    return seeds.astype("int64")
