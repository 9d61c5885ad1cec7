"""Regions of label maps: connected components and statistics."""

import numpy as np

from kerasseg.classical._inputs import check_image
from kerasseg.classical._label_maps import connected_components, region_means


def connected_regions(labels) -> np.ndarray:
    """Label the 4-connected components of equal value.

    Args:
        labels: integers [H, W], such as class ids; -1 (unreached) is a value, too.

    Returns:
        int32 [H, W], 0..K-1 in raster order. O(HW).

    Example:
        >>> connected_regions([[5, 0, 5], [5, 0, 5]]).tolist()
        [[0, 1, 2], [0, 1, 2]]
    """
    return connected_components(_integers(labels))


def region_statistics(labels, image) -> dict:
    """Size, position and colour of each region.

    Args:
        labels: integers [H, W] from 0; pixels below 0 (unreached) are left out.
        image: numbers [H, W] or [H, W, C], C 1 or 3.

    Returns:
        dict of arrays, row k for region k: "size" int64 [K] in pixels, "centroid"
        float64 [K, 2] (row, column), "box" int64 [K, 4] (x1, y1, x2, y2) with
        exclusive ends, "mean" and "std" float64 [K, C] in units of the image. A label
        that does not occur has zeros everywhere.

    Example:
        >>> found = region_statistics([[0, 0, 1, -1]], [[2, 4, 7, 0]])
        >>> found["size"].tolist(), found["mean"].tolist()
        ([2, 1], [[3.0], [7.0]])
    """
    image, labels = check_image(image), _integers(labels)
    if labels.shape != image.shape[:2]:
        raise ValueError(
            f"`labels` must have the size of the image, {image.shape[:2]}. "
            f"Received: shape={labels.shape}."
        )
    known = labels >= 0
    owner, pixels = labels[known], image[known].astype("float64")
    num = int(owner.max(initial=-1)) + 1
    places = np.argwhere(known)
    mean = region_means(owner, pixels, num)
    # Two passes: the mean of squares less the square of the mean would cancel.
    variance = region_means(owner, np.square(pixels - mean[owner]), num)
    box = np.full([num, 4], np.iinfo("int64").max)
    np.minimum.at(box[:, :2], owner, places[:, ::-1])
    box[:, 2:] = 0
    np.maximum.at(box[:, 2:], owner, places[:, ::-1] + 1)
    size = np.bincount(owner, minlength=num)
    box[size == 0] = 0
    return {
        "size": size,
        "centroid": region_means(owner, places, num),
        "box": box,
        "mean": mean,
        "std": np.sqrt(variance),
    }


def _integers(labels):
    labels = np.asarray(labels)
    if labels.ndim != 2 or labels.dtype.kind not in "iub" or not labels.size:
        raise ValueError(
            "`labels` must be integers [H, W], not empty. "
            f"Received: shape={labels.shape}, dtype={labels.dtype}."
        )
    if not -(2**31) < int(labels.min()) <= int(labels.max()) < 2**31:
        raise ValueError(
            f"`labels` must fit int32. Received: {labels.min()}..{labels.max()}."
        )
    return labels.astype("int32")
