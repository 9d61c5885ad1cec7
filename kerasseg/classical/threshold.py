"""Thresholding of grey values: Otsu, multi-Otsu, and adaptive (local mean)."""

import cv2
import numpy as np

from kerasseg.classical._inputs import check_choice, check_number, grey

STEPS = 2**14  # grey values are compared in steps of 1 / STEPS of their range
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
        image: RGB [H, W, 3] or grey [H, W], numbers of any range.
        method: "otsu" for two classes of least variance, "multi_otsu" for
            `num_classes`, "adaptive" for two around the local mean, for uneven
            illumination.
        num_classes: of "multi_otsu", 2..5; fewer if the image has fewer grey values.
        block_size: of "adaptive": side of the window of the local mean, px, odd.
        offset: of "adaptive": added to the local mean, in 1/255 of the image's range;
            negative offsets lower the threshold.
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
    values = np.round(values * STEPS)  # whole numbers: sums of them are exact
    if method == "adaptive":
        local = cv2.blur(values, (block_size, block_size))
        return (values > local + np.float32(offset * STEPS / 255)).astype("int32")
    levels, counts = np.unique(values, return_counts=True)
    num_classes = num_classes if method == "multi_otsu" else 2
    num_classes = min(num_classes, len(levels))
    if num_classes == 1:
        return np.zeros(values.shape, "int32")
    limits = _least_variance(levels, counts, num_classes)
    # right=True: a value at the threshold is in the darker class, as in OpenCV.
    return np.digitize(values, limits, right=True).astype("int32")


def _least_variance(levels, counts, num_classes):
    """Highest level of each class but the last, where classes vary least (Otsu).

    Exact for two classes or up to 512 levels. Minimal variance within classes is a
    maximal sum of S * S / N over the classes, N pixels of sum S, which dynamic
    programming finds: class by class, the best end of all classes before.
    """
    ends = np.arange(len(levels)) if num_classes == 2 else _ends_of_bins(counts, levels)
    pixels = np.append(0.0, np.cumsum(counts, dtype="float64")[ends])
    sums = np.append(0.0, np.cumsum(counts * levels, dtype="float64")[ends])
    best, choices = sums[1:] ** 2 / pixels[1:], []  # one class up to each end
    for _ in range(num_classes - 2):
        start, stop = np.s_[1:, None], np.s_[None, 1:]
        with np.errstate(divide="ignore", invalid="ignore"):
            more = (sums[stop] - sums[start]) ** 2 / (pixels[stop] - pixels[start])
        total = np.where(pixels[start] < pixels[stop], best[:, None] + more, -np.inf)
        choices.append(total.argmax(0))
        best = total.max(0)
    last = (sums[-1] - sums[1:-1]) ** 2 / (pixels[-1] - pixels[1:-1])
    found = [int((best[:-1] + last).argmax())]
    for choice in choices[::-1]:
        found.append(int(choice[found[-1]]))
    return levels[ends[found[::-1]]]


def _ends_of_bins(counts, levels):
    """Index of the highest level of each bin of a histogram, at most 512 bins.

    Half of the bins have equal width, half equal numbers of pixels: neither crowded
    levels nor rare bright ones share a bin.
    """
    if len(levels) <= 512:
        return np.arange(len(levels))
    width = np.searchsorted(levels, np.linspace(levels[0], levels[-1], 257)[1:-1]) - 1
    total = np.cumsum(counts)
    crowd = np.searchsorted(total, np.linspace(0, total[-1], 257)[1:-1])
    return np.unique(np.concatenate([width, crowd, [len(levels) - 1]]))
