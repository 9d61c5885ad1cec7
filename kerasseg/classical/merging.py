"""Region merging: adjacent regions of similar colour."""

import numpy as np

from kerasseg.classical._inputs import check_labels, check_number, lab
from kerasseg.classical._label_maps import (
    adjacent_regions,
    connected_components,
    contiguous,
)


def merge_regions(
    labels, image, *, threshold: float = 8.0, min_size: int = 1
) -> np.ndarray:
    """Merge adjacent regions, most similar first, while they are similar.

    In each round, pairs of mutual nearest neighbours are merged, together with all
    others whose nearest neighbour is the larger of the two. That is nearly the order of
    greedy merging in few rounds. In the end all adjacent regions differ by more than
    `threshold`. Then regions that are too small are merged in the same way.

    Args:
        labels: integers [H, W]; each 4-connected component of a label is a region.
        image: RGB [H, W, 3] or grey [H, W], numbers of any range.
        threshold: largest distance of mean colours that is merged, in CIELAB; 2.3 is
            just noticeable.
        min_size: smaller regions are merged into the nearest neighbour at any distance,
            px.

    Returns:
        int32 [H, W], 0..K-1, 4-connected. O(HW + E log E) per round, with E edges
        between regions.

    Raises:
        ValueError: if `labels` has another size than the image, or an argument is out
            of range.

    Example:
        >>> greys = np.repeat([[100, 104, 200, 204]], 4, axis=0).astype("uint8")
        >>> merge_regions(np.repeat([[0, 1, 2, 3]], 4, axis=0), greys)[0].tolist()
        [0, 0, 1, 1]

    Reference: Tremeau and Colantoni, 2000, https://doi.org/10.1109/83.841950
    """
    colors = lab(image)
    labels = check_labels(labels, colors.shape[:2])
    check_number(threshold, "threshold", 0.0)
    check_number(min_size, "min_size", 1)
    merged = merge(connected_components(labels), colors, threshold)
    return merge(merged, colors, None, min_size)


def merge(labels, features, threshold, min_size=1, *, by_error=False):
    """Merge adjacent regions that are similar or too small.

    Args:
        labels: int32 [H, W], connected regions numbered from 0.
        features: [H, W, C].
        threshold: largest distance of mean features; None merges small regions only.
        min_size: smaller regions are merged at any distance, px.
        by_error: take for the distance the root of the squared error that merging adds
            (Ward, 1963), so that small regions merge before large ones of the same
            colours.

    Returns:
        int32 [H, W], contiguous.
    """
    limit = -1.0 if threshold is None else threshold**2
    num = int(labels.max()) + 1
    flat = labels.ravel()
    sizes = np.bincount(flat).astype("float64")
    channels = features.reshape(flat.size, -1).T
    sums = np.stack([np.bincount(flat, channel) for channel in channels], 1)
    owner = np.arange(num)
    edges, _ = adjacent_regions(labels)
    while len(edges):
        distances = _squared_distances(sums, sizes, edges, by_error)
        joins = (distances <= limit) | (sizes[edges].min(1) < min_size)
        target = _merge_targets(edges, distances, joins, sizes)
        gone = np.flatnonzero(target != np.arange(num))
        if not len(gone):
            break
        np.add.at(sums, target[gone], sums[gone])
        np.add.at(sizes, target[gone], sizes[gone])
        owner = target[owner]
        edges = np.sort(target[edges], axis=1)
        # One integer per edge: np.unique sorts numbers far faster than rows.
        codes = np.unique(edges[:, 0] * num + edges[:, 1])
        edges = np.stack([codes // num, codes % num], 1)
        edges = edges[edges[:, 0] != edges[:, 1]]
    return contiguous(owner[labels])


def _squared_distances(sums, sizes, edges, by_error):
    means = sums / sizes[:, None]
    distances = np.square(means[edges[:, 0]] - means[edges[:, 1]]).sum(1)
    if by_error:
        distances *= sizes[edges].prod(1) / sizes[edges].sum(1)
    return distances


def _merge_targets(edges, distances, joins, sizes):
    """Region that each region is merged into in one round, itself if none.

    Only the larger region of a mutual pair takes others, so that no chain of merges
    needs to be followed.
    """
    num = len(sizes)
    # Ranks instead of distances: ties go to the earlier edge, and an edge is its rank.
    rank = np.empty(len(edges), "int64")
    rank[np.argsort(distances, kind="stable")] = np.arange(len(edges))
    rank[~joins] = len(edges)
    best = np.full(num, len(edges))
    for end in (0, 1):
        np.minimum.at(best, edges[:, end], rank)
    nearest = (best[edges] == rank[:, None]) & joins[:, None]  # [E, both ends]
    mutual = edges[nearest.all(1)]
    larger = sizes[mutual[:, 1]] > sizes[mutual[:, 0]]
    is_hub = np.zeros(num, bool)
    is_hub[np.where(larger, mutual[:, 1], mutual[:, 0])] = True
    target = np.arange(num)
    for end in (0, 1):
        gone, kept = edges[:, end], edges[:, 1 - end]
        follows = nearest[:, end] & is_hub[kept]
        target[gone[follows]] = kept[follows]
    return target
