"""k-means clustering of pixels by colour, or by colour and position."""

import numpy as np

from kerasseg.classical._inputs import check_number, lab
from kerasseg.classical._label_maps import connected_components
from kerasseg.classical.merging import merge

FIT_PIXELS = 20_000  # sample on which centres are fitted; then all are assigned
BLOCK = 2**22  # distances held in memory at once: 16 MB


def kmeans(
    image,
    num_clusters: int = 8,
    *,
    position_weight: float = 0.0,
    sigma: float = 1.0,
    min_size: int = 50,
    connected: bool = True,
    seed: int = 0,
) -> np.ndarray:
    """Regions of similar colour by k-means on one feature vector per pixel.

    Features are CIELAB colours and, if asked, row and column. Centres are initialised
    by k-means++ and updated until the assignment of a sample of pixels is stable.

    Args:
        image: RGB [H, W, 3] or grey [H, W], numbers of any range.
        num_clusters: number of clusters, up to the number of pixels. An image with
            fewer colours gives fewer.
        position_weight: CIELAB units that correspond to the longer side of the image;
            0 clusters by colour alone, 100 gives compact regions.
        sigma: standard deviation of a Gaussian blur before, px; 0 for none.
        min_size: smaller components are merged into the neighbour of nearest colour,
            px.
        connected: label the 4-connected components of the clusters; False gives the
            clusters themselves, darkest first, and leaves `min_size` unused.
        seed: of the initial centres.

    Returns:
        int32 [H, W], contiguous from 0. O(HW * num_clusters).

    Raises:
        ValueError: if the image or an argument is out of range.

    Example:
        >>> halves = np.repeat([[0, 0, 0, 200, 200, 200]], 4, axis=0).astype("uint8")
        >>> kmeans(halves, 2, sigma=0, min_size=1)[0].tolist()
        [0, 0, 0, 1, 1, 1]

    Reference: Arthur and Vassilvitskii, 2007 (k-means++),
    https://dl.acm.org/doi/10.5555/1283383.1283494
    """
    check_number(position_weight, "position_weight", 0.0)
    check_number(sigma, "sigma", 0.0)
    check_number(min_size, "min_size", 1)
    colors = lab(image, sigma)
    height, width, _ = colors.shape
    check_number(num_clusters, "num_clusters", 1, height * width)
    features = colors
    if position_weight:
        grid = np.indices([height, width], "float32") / max(height, width)
        position = np.moveaxis(grid, 0, 2) * position_weight
        features = np.concatenate([colors, position], axis=2)
    features = features.reshape(height * width, -1)
    rng = np.random.default_rng(seed)
    sample = features
    if len(features) > FIT_PIXELS:
        sample = features[rng.choice(len(features), FIT_PIXELS, replace=False)]
    centres = cluster(sample, num_clusters, rng)
    # Sorted by lightness, so that labels do not depend on the random initialisation.
    labels = nearest(features, centres[np.argsort(centres[:, 0], kind="stable")])
    labels = labels.reshape(height, width)
    if connected:
        return merge(connected_components(labels), colors, None, min_size)
    ids = np.unique(labels, return_inverse=True)[1]  # [H * W] before numpy 2
    return ids.reshape(height, width).astype("int32")


def cluster(points, num, rng, *, iterations=50):
    """Centres of k-means, initialised by k-means++: [num or fewer, C]."""
    centres = _plus_plus(points, num, rng)
    labels = None
    for _ in range(iterations):
        before, labels = labels, nearest(points, centres)
        if before is not None and np.array_equal(before, labels):
            break
        sizes = np.bincount(labels, minlength=len(centres))
        found = sizes > 0  # an empty cluster keeps its centre
        for k in range(points.shape[1]):
            sums = np.bincount(labels, points[:, k], minlength=len(centres))
            centres[found, k] = sums[found] / sizes[found]
    return centres


def _plus_plus(points, num, rng):
    """Initial centres, sampled by the squared distance to those before."""
    centres = [points[rng.integers(len(points))]]
    distance = np.full(len(points), np.inf)
    while len(centres) < num:
        distance = np.minimum(distance, np.square(points - centres[-1]).sum(1))
        total = distance.sum(dtype="float64")
        if total <= 0:  # fewer different points than clusters
            break
        index = np.searchsorted(
            np.cumsum(distance, dtype="float64"), rng.random() * total
        )
        # Rounding of the cumulative sum may lead past the last point.
        centres.append(points[min(index, len(points) - 1)])
    return np.array(centres)


def nearest(points, centres):
    """Index of the nearest centre of each point, int32 [N]; the first one at ties."""
    # |p - c|^2 / 2 without |p|^2 / 2, which all centres share: one matrix product.
    half = np.square(centres).sum(1) / 2
    labels = np.empty(len(points), "int32")
    step = max(1, BLOCK // len(centres))
    for start in range(0, len(points), step):
        block = points[start : start + step]
        labels[start : start + step] = (half - block @ centres.T).argmin(1)
    return labels
