"""Label maps as graphs of regions: parts, neighbours, and giving regions away."""

import numpy as np
from skimage import measure


def parts(labels):
    """4-connected parts of equal value, int32 [H, W] from 0 in raster order.

    Args:
        labels: integers [H, W], any values.
    """
    # skimage leaves out one value as background; the one below all occurs nowhere.
    background = int(labels.min()) - 1
    found = measure.label(labels, connectivity=1, background=background)
    return (found - 1).astype("int32")


def contiguous(labels):
    """The same regions, renumbered 0, 1, ... in the order of their values."""
    used = np.bincount(labels.ravel()) > 0
    return (np.cumsum(used) - 1).astype("int32")[labels]


def means(labels, values, num):
    """Mean of `values` [H, W, C] in each of `num` regions: float64 [num, C]."""
    flat = labels.ravel()
    sizes = np.maximum(np.bincount(flat, minlength=num), 1)
    channels = values.reshape(flat.size, -1).T
    sums = [np.bincount(flat, channel, minlength=num) for channel in channels]
    return np.stack(sums, 1) / sizes[:, None]


def neighbours(labels, among=None):
    """Pairs of regions that share a border.

    Args:
        labels: int32 [H, W].
        among: bool [num]; only pairs with one of these regions. None takes all.

    Returns:
        int64 [E, 2], each pair once, the smaller number first, and the length of each
        border in pixel edges, int64 [E].
    """
    left = [labels[:, :-1].ravel(), labels[:-1].ravel()]
    right = [labels[:, 1:].ravel(), labels[1:].ravel()]
    differs = [a != b for a, b in zip(left, right)]
    first = np.concatenate([a[d] for a, d in zip(left, differs)])
    second = np.concatenate([b[d] for b, d in zip(right, differs)])
    if among is not None:
        wanted = among[first] | among[second]
        first, second = first[wanted], second[wanted]
    num = int(labels.max()) + 1
    low, high = np.minimum(first, second), np.maximum(first, second)
    codes, lengths = np.unique(low.astype("int64") * num + high, return_counts=True)
    return np.stack([codes // num, codes % num], 1), lengths


def absorb(labels, keep, features):
    """Give each region that is not kept to the neighbour of most similar features.

    Regions enclosed by others that are given away follow in later rounds, so that
    every region ends in a kept one and stays 4-connected.

    Args:
        labels: int32 [H, W], connected regions numbered from 0.
        keep: bool [num], at least one True.
        features: [num, C], such as mean colours.

    Returns:
        int32 [H, W], contiguous.
    """
    if keep.all():
        return labels
    owner = np.where(keep, np.arange(len(keep)), -1)
    pairs, _ = neighbours(labels, ~keep)
    pairs = np.concatenate([pairs, pairs[:, ::-1]])
    pairs = pairs[~keep[pairs[:, 0]]]  # (given away, its neighbour)
    while len(pairs):
        ready = pairs[owner[pairs[:, 1]] >= 0]
        small, target = ready[:, 0], owner[ready[:, 1]]
        distance = np.square(features[small] - features[target]).sum(1)
        order = np.lexsort((target, distance, small))
        first = order[np.unique(small[order], return_index=True)[1]]
        owner[small[first]] = target[first]
        pairs = pairs[owner[pairs[:, 0]] < 0]
    return contiguous(owner[labels])


def absorb_small(labels, features, min_size, max_num):
    """Keep the parts of `labels` that are large enough, and give the others away.

    Args:
        labels: integers [H, W], any values.
        features: [H, W, C]; a part goes to the neighbour of nearest mean.
        min_size: smallest size, in pixels. The largest part is always kept.
        max_num: keep at most so many, the largest ones.

    Returns:
        int32 [H, W], contiguous, 4-connected.
    """
    labels = parts(labels)
    sizes = np.bincount(labels.ravel())
    keep = sizes >= min(min_size, sizes.max())
    if len(sizes) > max_num:
        small = np.argsort(-sizes, kind="stable")[max_num:]
        keep[small] = False
    if keep.all():
        return labels
    return absorb(labels, keep, means(labels, features, len(sizes)))
