"""Chan-Vese segmentation: two phases by active contours without edges."""

import numpy as np
from skimage import segmentation

from kerasseg.classical._inputs import check_number, grey


def chan_vese(
    image,
    *,
    mu: float = 0.25,
    tolerance: float = 1e-3,
    iterations: int = 200,
) -> np.ndarray:
    """Partition into two phases of nearly constant grey with a short border.

    Args:
        image: RGB [H, W, 3] or grey [H, W], numbers of any range.
        mu: weight of the border's length; larger is smoother.
        tolerance: change of the level set, root mean square, at which it stops.
        iterations: maximum number of iterations.

    Returns:
        int32 [H, W], 1 the brighter phase, 0 the darker one; all 0 if one phase is
        empty. O(HW * iterations).

    Example:
        >>> image = np.zeros([20, 20], "uint8")
        >>> image[5:15, 5:15] = 200
        >>> int(chan_vese(image).sum())
        100

    Reference: Chan and Vese, 2001, https://doi.org/10.1109/83.902291
    """
    check_number(mu, "mu", 0.0)
    check_number(tolerance, "tolerance", 0.0)
    check_number(iterations, "iterations", 1)
    values = grey(image).astype("float64")
    if np.ptp(values) == 0:
        return np.zeros(values.shape, "int32")
    inside = segmentation.chan_vese(
        values, mu=mu, tol=tolerance, max_num_iter=iterations
    )
    if inside.all() or not inside.any():
        return np.zeros(values.shape, "int32")
    # Which phase has the positive level set depends on the initial checkerboard.
    if values[inside].mean() < values[~inside].mean():
        inside = ~inside
    return inside.astype("int32")
