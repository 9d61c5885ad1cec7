"""Overlapping instances as few id maps. Private."""

import numpy as np
from scipy import ndimage

from kerasseg.images import MAX_PIXELS, ImageError

MAX_BYTES = 16 * MAX_PIXELS  # of the id maps of one image, as of the image itself
# Each object is compared with all that lie above each other in its place.
MAX_MAPS = 256


def pack_masks(masks, size, source):
    """Put masks into id maps, each into the first one where it covers no other.

    Args:
        masks: iterable of bool [H, W]; only one is held at a time.
        size: (H, W).
        source: file of the annotations, for the message.

    Returns:
        int32 [L, H, W], L >= 1, with the id k + 1 where the k-th mask that is not empty
        lies and 0 elsewhere, and the positions of these masks in the order given.

    Raises:
        ImageError: if more than MAX_MAPS lie above each other, or as many as would take
            more than MAX_BYTES.

    Example:
        >>> masks = np.array([[[1, 1, 0]], [[0, 0, 0]], [[0, 1, 1]]]) > 0
        >>> maps, kept = pack_masks(masks, (1, 3), "a.json")
        >>> maps[:, 0].tolist(), kept
        ([[1, 1, 0], [0, 2, 2]], [0, 2])
    """
    maps, kept = [], []
    for index, mask in enumerate(masks):
        # Only the box is searched: images have hundreds of objects, most of them small.
        rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
        if not len(rows):
            continue
        box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        inside = mask[box]
        free = (ids for ids in maps if not ids[box][inside].any())
        ids = next(free, None)
        if ids is None:
            num_bytes = 4 * (len(maps) + 1) * mask.size
            if len(maps) == MAX_MAPS or num_bytes > MAX_BYTES:
                raise ImageError(
                    source,
                    f"at most {MAX_MAPS} objects above each other, whose maps take at "
                    f"most {MAX_BYTES} bytes per image",
                    f"more than {len(maps)} above each other in {size[1]} x {size[0]} "
                    "pixels",
                    "Cut the picture into tiles, or unite the objects",
                )
            ids = np.zeros(size, "int32")
            maps.append(ids)
        kept.append(index)
        ids[box][inside] = len(kept)
    maps = maps or [np.zeros(size, "int32")]
    return maps[0][None] if len(maps) == 1 else np.stack(maps), kept


def boxes_and_areas(maps, num):
    """Boxes float32 [M, 4], (x1, y1, x2, y2), and areas float32 [M] of M instances."""
    boxes, areas = np.zeros([num, 4], "float32"), _areas(maps, num).astype("float32")
    for layer in maps:
        for number, place in enumerate(ndimage.find_objects(layer)):
            if place is not None:
                (y1, y2), (x1, x2) = ((side.start, side.stop) for side in place)
                boxes[number] = x1, y1, x2, y2
    return boxes, areas


def _areas(maps, num):
    # Layer by layer: a count of all would make a copy in int64.
    return sum(np.bincount(ids.ravel(), minlength=num + 1)[1:] for ids in maps)


def box_iou(first, second):
    """Intersection over union of two boxes (x1, y1, x2, y2)."""
    low, high = np.maximum(first[:2], second[:2]), np.minimum(first[2:], second[2:])
    shared = np.prod(np.maximum(high - low, 0))
    areas = [np.prod(box[2:] - box[:2]) for box in (first, second)]
    return float(shared / (sum(areas) - shared))


def frontmost(maps, crowd):
    """Frontmost instance at each pixel: of overlapping ones the smallest.

    Args:
        maps: result of `pack_masks`.
        crowd: bool [M]; crowds lie behind all others.

    Returns:
        int32 [H, W] of ids 1..M, 0 where there is no instance.
    """
    areas = _areas(maps, len(crowd))
    order = np.lexsort((-areas, ~np.asarray(crowd, bool)))  # crowds, then the largest
    ids = np.concatenate([[0], order + 1]).astype("int32")
    # From back to front; 0, no instance, lies behind all.
    rank = np.empty_like(ids)
    rank[ids] = np.arange(len(ids))
    front = rank[maps[0]]
    for layer in maps[1:]:
        np.maximum(front, rank[layer], out=front)
    return ids[front]


def make_sample(image, maps, classes, crowd, *, ignore_label):
    """The sample of an image and its instances, as `coco` describes it."""
    return {
        "image": image,
        "label": class_map(maps, classes, crowd, ignore_label=ignore_label),
        "instances": maps,
        "classes": classes,
        "crowd": crowd,
    }


def class_map(maps, classes, crowd=None, *, ignore_label=255):
    """Class of each pixel, that of the frontmost instance.

    Args:
        maps: result of `pack_masks`.
        classes: int [M], of the instances.
        crowd: bool [M]; their pixels are ignored unless another instance shows there.

    Returns:
        int32 [H, W], 0 where there is no instance.
    """
    crowd = np.zeros(len(classes), bool) if crowd is None else crowd
    values = np.where(crowd, ignore_label, classes)
    return np.concatenate([[0], values]).astype("int32")[frontmost(maps, crowd)]
