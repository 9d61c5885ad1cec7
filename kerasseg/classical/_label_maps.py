"""Label maps as region adjacency graphs: components, adjacency, absorbing regions."""

import numpy as np
from skimage import measure


def connected_components(labels):
    """Label the 4-connected components of equal value: int32 [H, W], in raster order.

    Args:
        labels: integers [H, W], any values.
    """
    # scikit-image 0.26 gives one value, the background, no component. One below the
    # minimum does not occur, so that every pixel is labelled, from 1.
    background = int(labels.min()) - 1
    found = measure.label(labels, connectivity=1, background=background)
    return (found - 1).astype("int32")


def contiguous(labels):
    """Relabel regions as 0, 1, ... in the order of their values."""
    used = np.bincount(labels.ravel()) > 0
    return (np.cumsum(used) - 1).astype("int32")[labels]


def region_means(labels, values, num):
    """Mean of `values` [H, W, C] in each of `num` regions: float64 [num, C]."""
    flat = labels.ravel()
    sizes = np.maximum(np.bincount(flat, minlength=num), 1)
    channels = values.reshape(flat.size, -1).T
    sums = [np.bincount(flat, channel, minlength=num) for channel in channels]
    return np.stack(sums, 1) / sizes[:, None]


def adjacent_regions(labels, among=None):
    """Edges of the region adjacency graph (4-connected).

    Args:
        labels: int32 [H, W].
        among: bool [num]; only edges of at least one of these regions. None takes all.

    Returns:
        int64 [E, 2], each edge once, the smaller label first, and the length of each
        common border in pixel sides, int64 [E].
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
    # One integer per pair: np.unique sorts numbers far faster than rows.
    codes, lengths = np.unique(low.astype("int64") * num + high, return_counts=True)
    return np.stack([codes // num, codes % num], 1), lengths


def absorb(labels, keep, features, outside=None):
    """Merge each region that is not kept into its most similar neighbour.

    Regions whose neighbours are all merged themselves follow in later rounds, so that
    every region ends in a kept one and stays 4-connected.

    Args:
        labels: int32 [H, W], connected regions numbered from 0.
        keep: bool [num], at least one True.
        features: [num, C], such as mean colours.
        outside: bool [num], kept regions that take no others; None for none.

    Returns:
        int32 [H, W], contiguous.
    """
    if keep.all():
        return labels
    owner = np.where(keep, np.arange(len(keep)), -1)
    pairs, _ = adjacent_regions(labels, ~keep)
    if outside is not None:
        pairs = pairs[~outside[pairs].any(1)]
    pairs = np.concatenate([pairs, pairs[:, ::-1]])
    pairs = pairs[~keep[pairs[:, 0]]]  # (merged region, its neighbour)
    while len(pairs):
        ready = pairs[owner[pairs[:, 1]] >= 0]
        small, target = ready[:, 0], owner[ready[:, 1]]
        distance = np.square(features[small] - features[target]).sum(1)
        # By region, then distance; the smaller label wins a tie.
        order = np.lexsort((target, distance, small))
        first = order[np.unique(small[order], return_index=True)[1]]
        owner[small[first]] = target[first]
        pairs = pairs[owner[pairs[:, 0]] < 0]
    return contiguous(owner[labels])


def absorb_small(labels, features, min_size, max_num, mask=None):
    """Merge small components of `labels` into their most similar neighbours.

    Args:
        labels: integers [H, W], any values; -1 outside of the mask.
        features: [H, W, C]; similarity is that of means over a component.
        min_size: smallest size, in pixels. The largest component is always kept.
        max_num: most components that are kept, the largest ones.
        mask: bool [H, W], what is labelled; None for all. Each of its connected parts
            keeps a component.

    Returns:
        int32 [H, W], contiguous, 4-connected; -1 outside of the mask.
    """
    labels = connected_components(labels)
    sizes = np.bincount(labels.ravel())
    if mask is not None:
        return _absorb_inside(labels, features, min_size, max_num, mask)
    keep = sizes >= min(min_size, sizes.max())
    if len(sizes) > max_num:
        small = np.argsort(-sizes, kind="stable")[max_num:]
        keep[small] = False
    if keep.all():
        return labels
    return absorb(labels, keep, region_means(labels, features, len(sizes)))


def _absorb_inside(labels, features, min_size, max_num, mask):
    """`absorb_small` of the components inside a mask."""
    sizes = np.bincount(labels.ravel())
    outside = np.zeros(len(sizes), bool)
    outside[labels[~mask]] = True
    # The largest component of each part of the mask has no neighbour to merge into.
    parts, part_of = connected_components(mask), np.empty(len(sizes), "int64")
    part_of[labels.ravel()] = parts.ravel()
    largest, order = np.zeros(parts.max() + 1, "int64"), np.argsort(sizes)
    largest[part_of[order]] = order
    needed = np.zeros(len(sizes), bool)
    needed[largest] = True
    rank = np.lexsort((-sizes, ~needed, outside))
    keep = needed | (sizes >= min_size)
    keep[rank[max_num:]] = False
    keep |= needed | outside
    means = region_means(labels, features, len(sizes))
    found = np.where(mask, absorb(labels, keep, means, outside), -1)
    found[mask] = np.unique(found[mask], return_inverse=True)[1]
    return found.astype("int32")
