"""Mean-shift segmentation: OpenCV's filter, then merging of regions."""

import cv2
import numpy as np
from scipy import sparse

from kerasseg.classical._inputs import check_number, rgb_uint8
from kerasseg.classical.merging import merge


def mean_shift(
    image,
    *,
    spatial_radius: float = 8.0,
    color_radius: float = 6.0,
    detail_size: int = 800,
    min_size: int = 25,
) -> np.ndarray:
    """Mean-shift segmentation: regions of pixels that converge to similar modes.

    OpenCV's filter moves each pixel's colour (8-bit CIELAB) to its mode but gives no
    regions. They are formed in three steps. Neighbours whose filtered colours differ by
    at most a quarter of `color_radius` are linked: a tight limit, because links chain
    along gradients. Then regions whose mean filtered colours differ by at most half of
    `color_radius` are merged, most similar first, which cannot chain. Then regions are
    merged by Ward's criterion, least increase of the squared error first, which weighs
    size against contrast: small spots of a texture are merged, while large regions stay
    apart at weak borders.

    Args:
        image: RGB [H, W, 3] or grey [H, W], numbers of any range.
        spatial_radius: of the mean-shift window, px, 1 or more.
        color_radius: of the mean-shift window in 8-bit CIELAB, 1 or more. Above 8, the
            filter loses weak borders of photographs.
        detail_size: smallest size of a region that differs from its surroundings by
            `color_radius`, px; at twice the difference a quarter suffices. Larger gives
            fewer regions.
        min_size: smaller regions are merged, whatever their contrast, px.

    Returns:
        int32 [H, W], 0..K-1, 4-connected. O(HW * spatial_radius^2).

    Example:
        >>> halves = np.repeat([[0] * 9 + [200] * 9], 12, axis=0).astype("uint8")
        >>> mean_shift(halves)[0, [0, 17]].tolist()
        [0, 1]

    References: Comaniciu and Meer, 2002, https://doi.org/10.1109/34.1000236;
    Ward, 1963, https://doi.org/10.1080/01621459.1963.10500845
    """
    check_number(spatial_radius, "spatial_radius", 1.0, 1000.0)
    check_number(color_radius, "color_radius", 1.0, 1000.0)
    check_number(detail_size, "detail_size", 1)
    check_number(min_size, "min_size", 1)
    colors = cv2.cvtColor(rgb_uint8(image), cv2.COLOR_RGB2LAB)
    # One pyramid level. The result is a filtered image, not a label map.
    modes = cv2.pyrMeanShiftFiltering(colors, spatial_radius, color_radius, maxLevel=0)
    modes = modes.astype("float32")
    labels = merge(_link(modes, color_radius / 4), modes, color_radius / 2)
    # Ward's error of joining n pixels that differ by d grows with d sqrt(n):
    # `detail_size` is the size at which a difference of `color_radius` is just kept.
    labels = merge(labels, modes, color_radius * detail_size**0.5, by_error=True)
    return merge(labels, modes, None, min_size, by_error=True)


def _link(colors, limit):
    """Single-linkage components: neighbours within `limit` are linked: int32 [H, W]."""
    height, width, _ = colors.shape
    index = np.arange(height * width, dtype="int32").reshape(height, width)
    across = np.square(np.diff(colors, axis=1)).sum(2) <= limit**2
    down = np.square(np.diff(colors, axis=0)).sum(2) <= limit**2
    first = np.concatenate([index[:, :-1][across], index[:-1][down]])
    second = np.concatenate([index[:, 1:][across], index[1:][down]])
    ones = np.ones(len(first), "int8")
    links = sparse.coo_array((ones, (first, second)), shape=[index.size] * 2)
    _, labels = sparse.csgraph.connected_components(links, directed=False)
    return labels.reshape(height, width).astype("int32")
