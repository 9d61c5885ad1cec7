"""Joining neighbouring regions of similar colour."""

import numpy as np

from kerasseg.classical._inputs import check_labels, check_number, lab
from kerasseg.classical._label_maps import contiguous, neighbours, parts


def merge_regions(labels, image, *, threshold: float = 8.0) -> np.ndarray:
    """Join neighbouring regions, most similar first, while they differ little.

    In each round, all pairs of regions that are each other's nearest neighbours join,
    which is the order of greedy merging but takes few rounds.

    Args:
        labels: integers [H, W]; parts of a label that do not touch count as regions.
        image: RGB [H, W, 3] or grey [H, W]: uint8, uint16, or float in 0..1 or 0..255.
        threshold: largest distance of mean colours in CIELAB that is joined; 2.3 is
            just noticeable.

    Returns:
        int32 [H, W], 0..K-1, 4-connected. O(HW + E log E) for E borders, a round.

    Example:
        >>> greys = np.repeat([[100, 104, 200, 204]], 4, axis=0).astype("uint8")
        >>> merge_regions(np.repeat([[0, 1, 2, 3]], 4, axis=0), greys)[0].tolist()
        [0, 0, 1, 1]

    Reference: Tremeau and Colantoni, 2000, https://doi.org/10.1109/83.841950
    """
    colors = lab(image)
    labels = check_labels(labels, colors.shape[:2])
    check_number(threshold, "threshold", 0.0)
    return merge(parts(labels), colors, threshold)


def merge(labels, features, threshold):
    """`merge_regions` of connected parts by any features [H, W, C]."""
    num = int(labels.max()) + 1
    flat = labels.ravel()
    sizes = np.bincount(flat).astype("float64")
    channels = features.reshape(flat.size, -1).T
    sums = np.stack([np.bincount(flat, channel) for channel in channels], 1)
    owner = np.arange(num)
    pairs, _ = neighbours(labels)
    while len(pairs):
        means = sums / sizes[:, None]
        gaps = np.square(means[pairs[:, 0]] - means[pairs[:, 1]]).sum(1)
        order = np.argsort(gaps, kind="stable")
        rank = np.empty(len(pairs), "int64")
        rank[order] = np.arange(len(pairs))
        best = np.full(num, len(pairs))
        np.minimum.at(best, pairs, rank[:, None])
        mutual = (best[pairs] == rank[:, None]).all(1) & (gaps <= threshold**2)
        if not mutual.any():
            break
        kept, gone = pairs[mutual].T  # no region is in two of these
        sums[kept] += sums[gone]
        sizes[kept] += sizes[gone]
        step = np.arange(num)
        step[gone] = kept
        owner = step[owner]
        pairs = np.sort(step[pairs], axis=1)
        codes = np.unique(pairs[:, 0] * num + pairs[:, 1])
        pairs = np.stack([codes // num, codes % num], 1)
        pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    return contiguous(owner[labels])
