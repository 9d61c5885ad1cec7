"""Superpixels of scikit-image, relabelled as 4-connected components from 0."""

import numpy as np
from skimage import segmentation

from kerasseg.classical._inputs import check_number, lab, unit_range
from kerasseg.classical._label_maps import connected_components
from kerasseg.classical.merging import merge


def felzenszwalb(
    image, *, scale: float = 100.0, sigma: float = 0.8, min_size: int = 50
) -> np.ndarray:
    """Graph-based segmentation: regions of a minimum spanning tree.

    Two regions stay apart where the difference across their border exceeds the
    difference within them.

    Args:
        image: RGB [H, W, 3] or grey [H, W], numbers of any range.
        scale: the paper's k (for 8-bit RGB); larger gives larger regions.
        sigma: standard deviation of a Gaussian blur before, px; 0 for none.
        min_size: smaller regions are merged into a neighbour, px.

    Returns:
        int32 [H, W], 0..K-1, 4-connected. scikit-image's regions are 8-connected; small
        4-connected components of them are merged into the neighbour of nearest colour.
        O(HW log HW).

    Example:
        >>> halves = np.repeat([[0] * 9 + [200] * 9], 12, axis=0).astype("uint8")
        >>> felzenszwalb(halves, sigma=0)[0, [0, 17]].tolist()
        [0, 1]

    Reference: Felzenszwalb and Huttenlocher, 2004,
    https://doi.org/10.1023/B:VISI.0000022288.19776.77
    """
    check_number(scale, "scale", 0.0)
    check_number(sigma, "sigma", 0.0)
    check_number(min_size, "min_size", 1)
    # scikit-image divides `scale` by 255 itself, and takes images in 0..1.
    colors = unit_range(image)
    labels = segmentation.felzenszwalb(
        colors, scale=scale, sigma=sigma, min_size=min_size
    )
    return merge(connected_components(labels), colors, None, min_size)


def quickshift(
    image,
    *,
    kernel_size: float = 3.0,
    max_dist: float = 10.0,
    ratio: float = 0.5,
    sigma: float = 0.0,
    min_size: int = 20,
    seed: int = 0,
) -> np.ndarray:
    """Mode-seeking segmentation: pixels climb to the same mode of a density.

    The density is that of colour and position, estimated by a Gaussian kernel.

    Args:
        image: RGB [H, W, 3] or grey [H, W], numbers of any range.
        kernel_size: width of the Gaussian kernel, px, 1 or more; larger gives fewer
            regions.
        max_dist: longest link between a pixel and one of higher density; larger gives
            fewer regions.
        ratio: weight of CIELAB colour against position, 0..1.
        sigma: standard deviation of a Gaussian blur before, px; 0 for none.
        min_size: smaller regions are merged into the neighbour of nearest colour, px.
        seed: of the noise that breaks ties between equal densities.

    Returns:
        int32 [H, W], 0..K-1, 4-connected. O(HW * kernel_size^2), the slowest method of
        this package.

    Example:
        >>> halves = np.repeat([[0] * 9 + [200] * 9], 12, axis=0).astype("uint8")
        >>> quickshift(halves, min_size=100)[0, [0, 17]].tolist()
        [0, 1]

    Reference: Vedaldi and Soatto, 2008, https://doi.org/10.1007/978-3-540-88693-8_52
    """
    check_number(kernel_size, "kernel_size", 1.0)
    check_number(max_dist, "max_dist", 0.0)
    check_number(ratio, "ratio", 0.0, 1.0)
    check_number(sigma, "sigma", 0.0)
    check_number(min_size, "min_size", 1)
    colors = lab(image, sigma)
    labels = segmentation.quickshift(
        colors.astype("float64"),
        kernel_size=kernel_size,
        max_dist=max_dist,
        ratio=ratio,
        convert2lab=False,
        rng=seed,
    )
    return merge(connected_components(labels), colors, None, min_size)
