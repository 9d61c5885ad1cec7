"""Thresholding of grey values: Otsu, multi-Otsu, and adaptive (local mean)."""

import cv2
import numpy as np
from skimage import filters

from kerasseg.classical._inputs import check_choice, check_number, grey

METHODS = ("otsu", "multi_otsu", "adaptive")


def threshold(
    image,
    *,
    method: str = "otsu",
    num_classes: int = 3,
    block_size: int = 51,
    offset: float = 0.0,
    sigma: float = 0.0,
) -> np.ndarray:
    """Classify pixels by thresholds of their grey value, darkest class first.

    Args:
        image: RGB [H, W, 3] or grey [H, W]: uint8, uint16, or float in 0..1 or 0..255.
        method: "otsu" for two classes of least variance, "multi_otsu" for
            `num_classes`, "adaptive" for two around the local mean, for uneven
            illumination.
        num_classes: of "multi_otsu", 2..5; fewer if the image has fewer grey values.
        block_size: of "adaptive": side of the window of the local mean, px, odd.
        offset: of "adaptive": added to the local mean, in units of 0..255; negative
            offsets lower the threshold.
        sigma: standard deviation of a Gaussian blur before, px; 0 for none.

    Returns:
        int32 [H, W], class ids 0, 1, ... `connected_regions` labels the components of
        the classes. O(HW).

    Example:
        >>> threshold(np.array([[10, 12, 200]], "uint8")).tolist()
        [[0, 0, 1]]

    Reference: Otsu, 1979, https://doi.org/10.1109/TSMC.1979.4310076
    """
    check_choice(method, "method", METHODS)
    check_number(num_classes, "num_classes", 2, 5)
    check_number(block_size, "block_size", 3)
    check_number(offset, "offset", -255.0, 255.0)
    check_number(sigma, "sigma", 0.0)
    if block_size % 2 == 0:
        raise ValueError(
            f"`block_size` must be odd. Received: block_size={block_size}."
        )
    values = grey(image)
    if sigma:
        values = cv2.GaussianBlur(values, (0, 0), sigma)
    values = np.round(values * 255)  # 256 bins: the histogram of 8-bit programs
    if method == "adaptive":
        local = cv2.blur(values, (block_size, block_size))
        return (values > local + offset).astype("int32")
    num_classes = num_classes if method == "multi_otsu" else 2
    num_classes = min(num_classes, len(np.unique(values)))
    if num_classes == 1:
        return np.zeros(values.shape, "int32")
    counts = np.bincount(values.astype("int64").ravel(), minlength=256)
    limits = filters.threshold_multiotsu(
        hist=(counts, np.arange(256)), classes=num_classes
    )
    # right=True: a value at the threshold is in the darker class, as in OpenCV.
    return np.digitize(values, limits, right=True).astype("int32")
