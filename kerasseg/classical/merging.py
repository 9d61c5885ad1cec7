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
        image: RGB [H, W, 3] or grey [H, W]: uint8, uint16, or float in 0..1 or 0..255.
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
    """Join connected parts by features [H, W, C], those that are near or too small.

    `threshold` None joins none for being near. `by_error` takes for the distance of two
    regions the root of the squared error that joining them adds (Ward, 1963), so that
    small regions join before large ones of the same colours.
    """
    limit = -1.0 if threshold is None else threshold**2
    num = int(labels.max()) + 1
    flat = labels.ravel()
    sizes = np.bincount(flat).astype("float64")
    channels = features.reshape(flat.size, -1).T
    sums = np.stack([np.bincount(flat, channel) for channel in channels], 1)
    owner = np.arange(num)
    pairs, _ = adjacent_regions(labels)
    while len(pairs):
        means = sums / sizes[:, None]
        gaps = np.square(means[pairs[:, 0]] - means[pairs[:, 1]]).sum(1)
        if by_error:
            gaps *= sizes[pairs].prod(1) / sizes[pairs].sum(1)
        rank = np.empty(len(pairs), "int64")
        rank[np.argsort(gaps, kind="stable")] = np.arange(len(pairs))
        joins = (gaps <= limit) | (sizes[pairs].min(1) < min_size)
        rank[~joins] = len(pairs)
        best = np.full(num, len(pairs))
        for end in (0, 1):
            np.minimum.at(best, pairs[:, end], rank)
        nearest = (best[pairs] == rank[:, None]) & joins[:, None]  # [E, both ends]
        mutual = pairs[nearest.all(1)]
        if not len(mutual):
            break
        larger = sizes[mutual[:, 1]] > sizes[mutual[:, 0]]
        is_hub = np.zeros(num, bool)
        is_hub[np.where(larger, mutual[:, 1], mutual[:, 0])] = True
        step = np.arange(num)
        for end in (0, 1):
            gone, kept = pairs[:, end], pairs[:, 1 - end]
            follows = nearest[:, end] & is_hub[kept]
            step[gone[follows]] = kept[follows]
        gone = np.flatnonzero(step != np.arange(num))
        np.add.at(sums, step[gone], sums[gone])
        np.add.at(sizes, step[gone], sizes[gone])
        owner = step[owner]
        pairs = np.sort(step[pairs], axis=1)
        codes = np.unique(pairs[:, 0] * num + pairs[:, 1])
        pairs = np.stack([codes // num, codes % num], 1)
        pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    return contiguous(owner[labels])
