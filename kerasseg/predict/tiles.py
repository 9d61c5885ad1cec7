"""Large images in overlapping tiles, blended, a few rows at a time (numpy only)."""

import numpy as np

# Tiles start at multiples of the coarsest stride of an encoder, so that a strided
# network sees the same grid in every tile as in the whole image.
GRID_PX = 32


def stripes(infer, size, *, tile_px, overlap_px):
    """Run `infer` on overlapping tiles and yield the blended result from the top.

    Beside an inner border of a tile the quarter of the overlap that is nearest to it
    gets no weight, the two middle quarters fade in. So the result equals that of the
    whole image (up to rounding) where an output pixel depends on pixels up to a
    quarter of the overlap away; borders of the image are not faded.

    Args:
        infer: function (top, bottom, left, right) -> float32 [h, w, K] of that part.
        size: (height, width) of the image.
        tile_px: (height, width) of a tile; parts at the end are smaller.
        overlap_px: smallest overlap of neighbours.

    Yields:
        (top, float32 [h, width, K]) with finished rows top..top+h, in order. Only one
        row of tiles is held in memory.
    """
    rows = plan(size[0], tile_px[0], overlap_px)
    columns = plan(size[1], tile_px[1], overlap_px)
    total = None
    for index, (top, bottom, down) in enumerate(rows):
        for left, right, across in columns:
            part = infer(top, bottom, left, right)
            if total is None:
                total = np.zeros(
                    [min(tile_px[0], size[0]), size[1], part.shape[2]], "f4"
                )
            weights = (down[:, None] * across)[..., None]
            total[: bottom - top, left:right] += part * weights
        # Rows above the next tile are finished.
        end = rows[index + 1][0] if index + 1 < len(rows) else bottom
        yield top, total[: end - top].copy()  # `total` is reused
        rest = len(total) - (end - top)
        total[:rest] = total[end - top :].copy()
        total[rest:] = 0


def plan(length, tile_px, overlap_px):
    """Tiles along one axis.

    Args:
        length: pixels to cover.
        tile_px: length of a tile.
        overlap_px: smallest overlap of neighbours, below `tile_px`.

    Returns:
        List of (start, stop, weights float32 [stop - start]). At each pixel the weights
        of its tiles add up to 1.

    Example:
        >>> [(start, stop) for start, stop, _ in plan(100, 64, 16)]
        [(0, 64), (32, 96), (64, 100)]
    """
    if tile_px >= length:
        return [(0, length, np.ones(length, "float32"))]
    step = tile_px - overlap_px
    step -= step % GRID_PX if step > GRID_PX else 0
    num = -(-(length - tile_px) // step) + 1
    overlap = tile_px - step
    spans = [(i * step, min(i * step + tile_px, length)) for i in range(num)]
    faded = [
        _fade(stop - start, overlap, start > 0, stop < length) for start, stop in spans
    ]
    # Two neighbours add up to 1 already (sin^2 + cos^2), three that overlap do not.
    total = np.zeros(length)
    for (start, stop), weights in zip(spans, faded):
        total[start:stop] += weights
    return [
        (start, stop, (weights / total[start:stop]).astype("float32"))
        for (start, stop), weights in zip(spans, faded)
    ]


def _fade(length, overlap, fade_in, fade_out):
    """Weights of one tile: 0 in the outer quarter of an overlap, then a cosine."""
    margin = overlap // 4
    # At pixel centres: there the ramps of two neighbours add up to 1.
    ramp = (np.arange(length) + 0.5 - margin) / max(overlap - 2 * margin, 1)
    ramp = np.sin(np.clip(ramp, 0, 1) * np.pi / 2) ** 2
    weights = np.ones(length)
    if fade_in:
        weights *= ramp
    if fade_out:
        weights *= ramp[::-1]
    return weights
