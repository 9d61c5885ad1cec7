"""Masks in colour that were smoothed or saved as JPEG: the colours that were meant."""

import cv2
import numpy as np

from kerasseg.images import palettes

FLAT = 12  # levels that neighbours of one class differ by, at most
NEAR = 12  # levels by which JPEG moves the colour of a class
SAME = 3  # levels by which it moves most of its pixels
FAR, WAVE = 32, 0.1  # how far, and how high, waves of JPEG lie beside a colour
WAVES = 0.2  # share of the pixels between colours that are on no line of two
LEAST = 0.001  # share of the flat pixels that is a class
MOST_COLORS = 32
MOST_COUNTED = 4096
MOST_FAR = 0.4  # share of pixels between the colours; more is a photograph
REACH = 9  # pixels around one in which its class is flat somewhere


def flat_colors(pixels):
    """Colours of the pixels whose neighbours have nearly the same.

    Args:
        pixels: uint8 [H, W, 3].

    Returns:
        {(r, g, b): number of pixels}, the most frequent ones.

    Example:
        >>> flat_colors(np.full([4, 5, 3], 7, "uint8"))
        {(7, 7, 7): 20}
    """
    return count_colors(pixels[_is_flat(pixels)])


def count_colors(pixels):
    """{(r, g, b): number of pixels} of uint8 [..., 3], the most frequent ones."""
    codes = _codes(pixels.reshape(-1, 3))
    found, counts = np.unique(codes, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_COUNTED]
    colors = map(tuple, _colors(found[order]).tolist())
    return dict(zip(colors, counts[order].tolist()))


def _codes(pixels):
    """One number per colour, which sorts like it: `np.unique` of rows takes seconds."""
    return pixels.astype(np.int64) @ np.array([65536, 256, 1])


def _colors(codes):
    """Colours [N, 3] of the numbers of `_codes`."""
    return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], -1)


def _is_flat(pixels):
    kernel = np.ones([3, 3], np.uint8)
    span = cv2.dilate(pixels, kernel) - cv2.erode(pixels, kernel)
    return span.max(2) <= FLAT


def meant_colors(flat, counts):
    """Colours of the classes of masks in which others lie between or around them.

    Args:
        flat: {color: pixels} of all masks, as of `flat_colors`.
        counts: {color: pixels} of all of their pixels.

    Returns:
        (list of (r, g, b), share of the pixels that are near none of them); None where
        there are fewer than two such colours, too many, or all are meant.

    Example:
        >>> flat = {(0, 0, 0): 900, (200, 0, 0): 80}
        >>> meant_colors(flat, flat | {(100, 0, 0): 10, (60, 0, 0): 6, (150, 0, 0): 4})
        ([(0, 0, 0), (200, 0, 0)], 0.02)
    """
    if not flat:
        return None
    peaks = _peaks(np.array(list(flat)), np.array(list(flat.values())))
    if not 2 <= len(peaks) <= MOST_COLORS:
        return None
    colors, num = np.array(list(counts)), np.array(list(counts.values()))
    away = _distances(colors, peaks).min(1)
    others = away > 0
    mixed = _between(colors[others], peaks)
    # A few colours that lie between two others come from smoothing, any others are
    # classes without a flat place.
    if len(colors) <= MOST_COLORS and not (len(mixed) > 2 and mixed.all()):
        return None
    if num[others][~mixed].sum() > WAVES * num[others].sum():
        peaks = peaks[_without_waves(peaks, flat)]
    share = float(num[_distances(colors, peaks).min(1) > NEAR].sum() / num.sum())
    if share > MOST_FAR or not others.any():
        return None
    return [tuple(map(int, peak)) for peak in peaks], share


def _without_waves(peaks, flat):
    """Places of the peaks but those near a much higher one, which JPEG makes."""
    masses = [flat.get(tuple(map(int, peak)), 0) for peak in peaks]
    kept = []
    for place, peak in enumerate(peaks):  # the highest first
        away = np.abs(peaks[kept] - peak).max(1) if kept else np.array([999])
        higher = (
            [masses[other] for other in np.array(kept)[away <= FAR]] if kept else []
        )
        if masses[place] >= WAVE * max(higher, default=0):
            kept.append(place)
    return kept


def table_of(colors):
    """{color: class id}: VOC's ids where all are nearly VOC's colours, else as sorted.

    Example:
        >>> table_of([(0, 0, 0), (2, 127, 0), (127, 1, 0)])
        {(0, 0, 0): 0, (127, 1, 0): 1, (2, 127, 0): 2}
    """
    known = palettes.palette(palettes.NUM_CLASSES).tolist()
    away = _distances(np.array(colors), np.array(known))
    ids = away.argmin(1).tolist()
    if away.min(1).max() <= 2 * SAME and len({*ids}) == len(ids):
        found = dict(zip(colors, ids))
        return dict(sorted(found.items(), key=lambda item: item[1]))
    return palettes.ids_of_palette(colors)


def _peaks(colors, counts):
    """Colours that many flat pixels have, int [K, 3]."""
    least, found, left = LEAST * counts.sum(), [], counts.copy()
    while len(found) <= MOST_COLORS and left.max(initial=0) > 0:
        peak = colors[left.argmax()]
        away = np.abs(colors - peak).max(1)
        # Those of a class are alike, those of the waves around edges are spread.
        if left[away <= SAME].sum() < least:
            break
        found.append(peak)
        left[away <= NEAR] = 0
    return np.array(found, int).reshape(-1, 3)


def _distances(colors, peaks):
    """Largest difference of a channel, int [N, K]."""
    return np.abs(colors[:, None].astype(int) - peaks[None]).max(2)


def _between(colors, peaks):
    """Whether colours [N, 3] lie near a line between two of the peaks, bool [N]."""
    found = np.zeros(len(colors), bool)
    for number, start in enumerate(peaks):
        for end in peaks[:number]:
            step = (end - start).astype(float)
            place = np.clip((colors - start) @ step / (step @ step), 0, 1)
            away = np.abs(colors - start - place[:, None] * step).max(1)
            found |= away <= SAME
    return found


def ids_around(pixels, table):
    """Class ids of a mask in colours that are not sharp.

    A pixel between two colours takes the nearest of those that are flat somewhere
    around it, so that between black and white there is no edge of grey.

    Args:
        pixels: uint8 [H, W, 3].
        table: {(r, g, b): class id}, of the colours that are meant.

    Returns:
        int32 [H, W]; 255 where no class is near.

    Example:
        >>> row = np.array([[[0] * 3] * 4 + [[128] * 3] + [[255] * 3] * 4], "uint8")
        >>> table = {(0, 0, 0): 0, (130, 130, 130): 1, (255, 255, 255): 2}
        >>> ids_around(np.repeat(row, 4, 0), table)[0].tolist()
        [0, 0, 0, 0, 2, 2, 2, 2, 2]
    """
    peaks = np.array(list(table), int)
    codes = _codes(pixels)
    found, places = np.unique(codes, return_inverse=True)
    places = places.reshape(codes.shape)
    away = _distances(_colors(found), peaks)
    nearest = np.where(_is_flat(pixels) & (away.min(1)[places] <= NEAR), 1, 0)
    nearest = nearest * (away.argmin(1)[places] + 1)  # 0: not flat
    best = np.full(codes.shape, 256)
    label = np.full(codes.shape, 255, np.int32)
    kernel = np.ones([2 * REACH + 1] * 2, np.uint8)
    for place, class_id in enumerate(table.values()):
        distance = away[places, place]
        others = np.delete(peaks, place, 0)
        # A colour that others mix to is believed only where it is flat nearby.
        sure = len(others) < 2 or not _between(peaks[place][None], others)[0]
        around = cv2.dilate((nearest == place + 1).astype(np.uint8), kernel) > 0
        allowed = around | ((distance <= NEAR) & sure)
        better = allowed & (distance < best)
        best[better], label[better] = distance[better], class_id
    return label
