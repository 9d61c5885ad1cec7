"""Instances that overlap, as few maps of ids. Private."""

import numpy as np


def pack(masks, size):
    """Put masks into maps of ids, each into the first one where it covers no other.

    Args:
        masks: iterable of bool [H, W]; only one is held at a time.
        size: (H, W).

    Returns:
        int32 [L, H, W], L >= 1, with the id k + 1 where the k-th mask that is not empty
        lies and 0 elsewhere, and the positions of these masks in the order given.

    Example:
        >>> maps, kept = pack(np.array([[[1, 1, 0]], [[0, 0, 0]], [[0, 1, 1]]]) > 0,
        ...                   (1, 3))
        >>> maps[:, 0].tolist(), kept
        ([[1, 1, 0], [0, 2, 2]], [0, 2])
    """
    maps, kept = [], []
    for index, mask in enumerate(masks):
        rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
        if not len(rows):
            continue
        box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        inside = mask[box]
        free = (ids for ids in maps if not ids[box][inside].any())
        ids = next(free, None)
        if ids is None:
            ids = np.zeros(size, "int32")
            maps.append(ids)
        kept.append(index)
        ids[box][inside] = len(kept)
    return np.stack(maps or [np.zeros(size, "int32")]), kept


def label_of(maps, classes, crowd=None, *, ignore_label=255):
    """Class of each pixel: of overlapping instances the smallest shows.

    Args:
        maps: of `pack`.
        classes: int [M], of the instances.
        crowd: bool [M]; their pixels are ignored unless another instance shows there.

    Returns:
        int32 [H, W], 0 where there is no instance.
    """
    ids = np.where(np.zeros(len(classes), bool) if crowd is None else crowd, -1, 1)
    values = np.where(ids < 0, ignore_label, classes)
    areas = np.bincount(maps.ravel(), minlength=len(classes) + 1)[1:]
    # The rank decides who shows: crowds lie behind, then the largest.
    rank = np.empty(len(classes) + 1, "int32")
    rank[0] = 0
    rank[1 + np.lexsort((-areas, ids))] = np.arange(1, len(classes) + 1)
    by_rank = np.zeros(len(classes) + 1, "int32")
    by_rank[rank[1:]] = values
    return by_rank[rank[maps].max(0)]
