"""Pooling of network predictions over superpixels: averages and majority votes."""

import numpy as np

from kerasseg.classical._inputs import check_labels
from kerasseg.classical._label_maps import region_means


def pool_probabilities(probabilities, superpixels) -> np.ndarray:
    """Class probabilities averaged in each superpixel.

    Args:
        probabilities: [H, W, K] or [H, W], any finite numbers: logits and heatmaps can
            be pooled, too.
        superpixels: label map, integers [H, W].

    Returns:
        float32 of the shape of `probabilities`; sums over K stay. O(HW K).

    Raises:
        ValueError: if sizes differ, or values are not finite.

    Example:
        >>> pool_probabilities([[0.25, 0.75, 1.0]], [[0, 0, 1]]).tolist()
        [[0.5, 0.5, 1.0]]
    """
    probabilities = np.asarray(probabilities)
    if probabilities.ndim not in (2, 3) or probabilities.dtype.kind not in "biuf":
        raise ValueError(
            "`probabilities` must be numbers [H, W, K] or [H, W]. Received: "
            f"shape={probabilities.shape}, dtype={probabilities.dtype}."
        )
    if not np.isfinite(probabilities).all():
        raise ValueError("`probabilities` must be finite. Received: NaN or infinity.")
    regions = _regions(superpixels, probabilities.shape[:2])
    pooled = region_means(regions, probabilities, int(regions.max()) + 1)
    return pooled.astype("float32")[regions].reshape(probabilities.shape)


def snap_to_superpixels(label, superpixels, *, ignore_label: int = 255) -> np.ndarray:
    """Class ids replaced by the most frequent one of each superpixel (majority vote).

    Args:
        label: class ids [H, W].
        superpixels: label map, integers [H, W].
        ignore_label: id without a vote; a superpixel of nothing else keeps it.

    Returns:
        int32 [H, W]. The smallest id wins a tie. O(HW).

    Raises:
        ValueError: if sizes differ, or an argument is not a label map.

    Example:
        >>> snap_to_superpixels([[1, 1, 2, 2, 2]], [[0, 0, 0, 1, 1]]).tolist()
        [[1, 1, 1, 2, 2]]
    """
    label = check_labels(label, name="label")
    regions = _regions(superpixels, label.shape)
    ids, index = np.unique(label, return_inverse=True)
    # One number per pair of region and class: one `unique` counts all votes.
    codes = regions.ravel().astype("int64") * len(ids) + index.ravel()
    pairs, votes = np.unique(codes, return_counts=True)
    region, index = np.divmod(pairs, len(ids))
    # Pixels without a vote count 0: they win only where nothing else is.
    votes = np.where(ids[index] == ignore_label, 0, votes)
    # Most votes first, and of equal ones the smallest id: the same in every run.
    order = np.lexsort((index, -votes, region))
    first = order[np.unique(region[order], return_index=True)[1]]
    return ids[index[first]].astype("int32")[regions]


def _regions(superpixels, size):
    superpixels = check_labels(superpixels, size, name="superpixels")
    found = np.unique(superpixels, return_inverse=True)[1]
    return found.reshape(superpixels.shape)
