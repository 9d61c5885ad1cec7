"""Merging of the objects that were found in the tiles of an image (numpy).

An object near the border of a tile is cut there. Where a neighbouring tile shows the
whole of it, the cut part is dropped; parts of one object that no tile shows as a whole
are merged.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from kerasseg.detection.mask_grid import STRIDE
from kerasseg.instance.instances import Instances, tell_of_limit

SAME = 0.5  # share of pixels from which two masks are one object
SHOWN = 4  # tiles that show an object where four of them meet


@dataclass(frozen=True)
class TileObject:
    """An object in one tile, in pixels of the image.

    Attributes:
        box: (x1, y1, x2, y2), floats.
        class_id: 0..C-1.
        score: in 0..1.
        span: (x1, y1, x2, y2) of the mask, whole pixels.
        mask: bool [y2 - y1, x2 - x1], tight.
        tile: (x1, y1, x2, y2) of the tile.
        is_cut: whether it touches a border of the tile within the image.
    """

    box: tuple
    class_id: int
    score: float
    span: tuple
    mask: np.ndarray
    tile: tuple
    is_cut: bool


def objects_in_tile(found, tile, image_size, *, score_threshold=0.0):
    """The objects of one tile.

    Args:
        found: dict of arrays of one image, as instance models return them: boxes
            [K, 4] in pixels of the tile, classes [K], scores [K], masks [K, h, w] that
            span the tile, num.
        tile: (x1, y1, x2, y2) in the image; may reach beyond it at right and below.
        image_size: (height, width).
        score_threshold: what scores less is left out.

    Returns:
        List of `TileObject`. Masks are where the probability, resized bilinearly, is
        above 0.5; objects without such a pixel in the image are left out.
    """
    left, top, right, bottom = tile
    height, width = bottom - top, right - left
    rows, columns = min(height, image_size[0] - top), min(width, image_size[1] - left)
    inside = (left, top, left + columns, top + rows)
    cell = max(np.divide((height, width), found["masks"].shape[1:]))
    parts = []
    for index in range(int(found["num"])):
        if found["scores"][index] < score_threshold:
            continue
        mask = np.asarray(found["masks"][index], "float32")
        mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR) > 0.5
        mask = mask[:rows, :columns]
        y, x = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
        if not len(y):
            continue
        span = (left + x[0], top + y[0], left + x[-1] + 1, top + y[-1] + 1)
        corner = np.array([left, top, left, top], "float32")
        # inside[:2] * 2 is the tuple (left, top, left, top).
        box = np.clip(found["boxes"][index] + corner, inside[:2] * 2, inside[2:] * 2)
        parts.append(
            TileObject(
                box=tuple(map(float, box)),
                class_id=int(found["classes"][index]),
                score=float(found["scores"][index]),
                span=tuple(map(int, span)),
                mask=mask[y[0] : y[-1] + 1, x[0] : x[-1] + 1],
                tile=inside,
                is_cut=_is_cut(_around([box, span]), inside, image_size, cell),
            )
        )
    return parts


def merge(parts, image_size, tiles=(), *, min_area_px=1, max_objects=1000, tell=False):
    """Instances of an image from the parts of its tiles.

    - Of whole objects of one class from different tiles whose masks have an IoU of 0.5
      or more, the best stays.
    - A cut part is dropped where a whole object covers half of it, unless that scores
      less than half as much; and where another tile shows what is left of it and more,
      but found nothing that covers half of it.
    - Of the other parts, those that share half of the pixels of one of them, within
      both tiles, are one object: the union of the masks, with the class and the score
      of the best.

    Args:
        parts: list of `TileObject`.
        image_size: (height, width).
        tiles: (x1, y1, x2, y2) of all tiles, those too in which nothing was found.
        min_area_px: objects of fewer pixels are left out.
        max_objects: so many of the best are kept, of four times as many parts.
        tell: whether to warn that others are left out.

    Returns:
        `Instances`, best first.
    """
    parts = sorted(parts, key=lambda part: -part.score)[: SHOWN * max_objects]
    tiles = [_meet(tile, (0, 0, image_size[1], image_size[0])) for tile in tiles]
    near, kept = _neighbours(parts), set()
    for i, part in enumerate(parts):
        rivals = [parts[j] for j in near[i] if j in kept]
        if not part.is_cut and not any(_repeats(part, one) for one in rivals):
            kept.add(i)
    # After the whole objects: a cut part is compared with those that were kept.
    left = []
    for i, part in enumerate(parts):
        if not part.is_cut:
            continue
        others = [parts[j] for j in near[i]]
        is_shown = any(j in kept and _is_shown_by(part, parts[j]) for j in near[i])
        if not is_shown and not _is_missed_elsewhere(part, others, tiles, image_size):
            left.append(i)
    merged = [_union(group) for group in _groups(parts, left, near)]
    kept = [parts[i] for i in sorted(kept)]
    found = [part for part in kept + merged if _area(part) >= min_area_px]
    if tell:
        tell_of_limit(len(found), max_objects)
    found = sorted(found, key=lambda part: -part.score)[:max_objects]
    # One byte per pixel and object: 8,000 parts of a large image took 4.5 GB before
    # `max_objects` existed.
    masks = np.zeros([len(found), *image_size], bool)
    for mask, part in zip(masks, found):
        x1, y1, x2, y2 = part.span
        mask[y1:y2, x1:x2] = part.mask
    # Reshaped for the empty list, whose shape would be [0] instead of [0, 4].
    return Instances(
        boxes=np.array([part.box for part in found], "float32").reshape(-1, 4),
        classes=np.array([part.class_id for part in found], "int32"),
        scores=np.array([part.score for part in found], "float32"),
        masks=masks,
    )


def _is_cut(box, tile, image_size, cell):
    """Whether a box comes within one cell of the mask grid of an inner border."""
    limits = (0, 0, image_size[1], image_size[0])
    return any(
        side != limit and abs(end - side) <= cell
        for end, side, limit in zip(box, tile, limits)
    )


def _neighbours(parts):
    """For each part, which others meet its span and come from other tiles."""
    spans, tiles = (
        np.array([getattr(part, name) for part in parts]).reshape(-1, 4)
        for name in ("span", "tile")
    )
    near = []
    for (x1, y1, x2, y2), tile in zip(spans, tiles):
        meets = (spans[:, :2] < (x2, y2)) & ((x1, y1) < spans[:, 2:])
        # Within one tile the model has suppressed duplicates itself.
        others = (tiles != tile).any(-1)
        near.append(np.flatnonzero(meets.all(-1) & others).tolist())
    return near


def _repeats(part, better):
    """Whether a whole object was found in another tile already."""
    if part.class_id != better.class_id:
        return False
    shared = _shared(part, better)
    return shared >= SAME * (_area(part) + _area(better) - shared)


def _is_shown_by(part, whole):
    # A part is easily taken for another class, so classes do not count.
    good = whole.score >= 0.5 * part.score
    return good and _shared(part, whole) >= SAME * _area(part)


def _is_missed_elsewhere(part, others, tiles, image_size):
    """Whether a tile that shows more of a part did not find it."""
    needed = SAME * _area(part)
    found = {one.tile for one in others if _shared(part, one) >= needed}
    return any(
        tile not in found
        and _meet(part.span, tile) == part.span
        and not _is_cut(part.span, tile, image_size, STRIDE)
        for tile in tiles
    )


def _groups(parts, left, near):
    """Lists of the parts `left` that belong together, each with the best first."""
    owner = {i: i for i in left}
    for i in left:
        for j in near[i]:
            if j in owner and owner[i] != owner[j] and _are_one(parts[i], parts[j]):
                first, second = sorted([owner[i], owner[j]])
                owner = {k: first if x == second else x for k, x in owner.items()}
    return [
        [parts[i] for i in left if owner[i] == number]
        for number in sorted(set(owner.values()))
    ]


def _are_one(a, b):
    shared = _shared(a, b)
    if not shared:
        return False
    both = _meet(a.tile, b.tile)
    return shared >= SAME * min(_area(a, both), _area(b, both))


def _union(group):
    """One object of several parts; the first is the best."""
    if len(group) == 1:
        return group[0]
    x1, y1, x2, y2 = span = _around([part.span for part in group])
    mask = np.zeros([y2 - y1, x2 - x1], bool)
    for part in group:
        left, top, right, bottom = part.span
        mask[top - y1 : bottom - y1, left - x1 : right - x1] |= part.mask
    best = group[0]
    box = _around([part.box for part in group])
    return TileObject(box, best.class_id, best.score, span, mask, best.tile, True)


def _shared(a, b):
    """Pixels that two masks share."""
    place = _meet(a.span, b.span)
    if place is None:
        return 0
    return int(np.count_nonzero(_inside(a, place) & _inside(b, place)))


def _area(part, place=None):
    """Pixels of a mask, or those in a rectangle."""
    place = part.span if place is None else _meet(part.span, place)
    return 0 if place is None else int(np.count_nonzero(_inside(part, place)))


def _inside(part, place):
    left, top = part.span[:2]
    x1, y1, x2, y2 = place
    return part.mask[y1 - top : y2 - top, x1 - left : x2 - left]


def _meet(a, b):
    """The rectangle within both, or None."""
    x1, y1 = max(a[0], b[0]), max(a[1], b[1])
    x2, y2 = min(a[2], b[2]), min(a[3], b[3])
    return (x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None


def _around(boxes):
    """The smallest box around all."""
    x1, y1, x2, y2 = zip(*boxes)
    return min(x1), min(y1), max(x2), max(y2)
