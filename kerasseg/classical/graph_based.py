"""Superpixels of scikit-image, relabelled to 4-connected parts from 0."""

import numpy as np
from skimage import segmentation

from kerasseg.classical._inputs import check_number, lab, unit_range
from kerasseg.classical._label_maps import parts
from kerasseg.classical.merging import merge


def felzenszwalb(
    image, *, scale: float = 100.0, sigma: float = 0.8, min_size: int = 50
) -> np.ndarray:
    """Regions of a minimum spanning tree, cut where they differ more than within.

    Args:
        image: RGB [H, W, 3] or grey [H, W]: uint8, uint16, or float in 0..1 or 0..255.
        scale: larger gives larger regions, as in the paper (8-bit RGB).
        sigma: standard deviation of a Gaussian blur before, px; 0 for none.
        min_size: smaller regions go to a neighbour.

    Returns:
        int32 [H, W], 0..K-1, 4-connected: scikit-image's regions are 8-connected, and
        parts that this splits off go to the neighbour of nearest colour.
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
    colors = unit_range(image)
    labels = segmentation.felzenszwalb(
        colors, scale=scale, sigma=sigma, min_size=min_size
    )
    return merge(parts(labels), colors, None, min_size)


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
    """Regions whose pixels climb to the same mode of density in colour and position.

    Args:
        image: RGB [H, W, 3] or grey [H, W]: uint8, uint16, or float in 0..1 or 0..255.
        kernel_size: width of the density's Gaussian, px, 1 or more; larger gives
            fewer regions.
        max_dist: longest step uphill; larger gives fewer regions.
        ratio: weight of CIELAB colour against position, 0..1.
        sigma: standard deviation of a Gaussian blur before, px; 0 for none.
        min_size: smaller regions go to the neighbour of nearest colour.
        seed: of the noise that decides between equal densities.

    Returns:
        int32 [H, W], 0..K-1, 4-connected. O(HW * kernel_size^2), the slowest here.

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
    return merge(parts(labels), colors, None, min_size)
