"""GrabCut: foreground from a box, probabilities or scribbles."""

import cv2
import numpy as np

from kerasseg.classical._inputs import check_labels, check_number, rgb_uint8
from kerasseg.classical.kmeans import cluster, nearest

COMPONENTS = 5  # Gaussians of each colour model, fixed in OpenCV as in the paper
UNKNOWN = 255  # in scribbles


def grabcut(
    image,
    *,
    box=None,
    probabilities=None,
    scribbles=None,
    iterations: int = 5,
    sure_threshold: float = 0.95,
) -> np.ndarray:
    """Foreground segmentation by GrabCut: Gaussian mixtures and graph cuts, in turns.

    Give exactly one of `box`, `probabilities` and `scribbles`. The Gaussian mixtures
    are initialised by k-means of this library, so that every run gives the same result
    (OpenCV's initialisation depends on its global random state).

    Args:
        image: RGB [H, W, 3] or grey [H, W], numbers of any range.
        box: (x1, y1, x2, y2) in pixels, exclusive ends; everything outside is
            background. It must leave some.
        probabilities: of the foreground, [H, W] in 0..1, as of a network.
        scribbles: integers [H, W]: 0 background, 1 foreground, 255 unknown.
        iterations: number of iterations, 1 or more.
        sure_threshold: probabilities from here up are sure foreground, those below
            1 - sure_threshold sure background, which the cut cannot change; above 1 all
            pixels are free.

    Returns:
        int32 [H, W], 0 background, 1 foreground. All one class if the input marks no
        pixel of the other.

    Raises:
        ValueError: if not exactly one hint is given, or one does not fit.

    Example:
        >>> image = np.zeros([20, 20, 3], "uint8")
        >>> image[6:14, 6:14] = 200
        >>> int(grabcut(image, box=(3, 3, 17, 17)).sum())
        64

    Reference: Rother et al., 2004, https://doi.org/10.1145/1015706.1015720
    """
    image = rgb_uint8(image)
    check_number(iterations, "iterations", 1)
    check_number(sure_threshold, "sure_threshold", 0.5)
    hints = {"box": box, "probabilities": probabilities, "scribbles": scribbles}
    given = [name for name, value in hints.items() if value is not None]
    if len(given) != 1:
        raise ValueError(
            "Give exactly one of `box`, `probabilities` and `scribbles`. "
            f"Received: {', '.join(given) or 'none'}."
        )
    size = image.shape[:2]
    if box is not None:
        mask = _mask_from_box(box, size)
    elif probabilities is not None:
        mask = _mask_from_probabilities(probabilities, size, sure_threshold)
    else:
        mask = _mask_from_scribbles(scribbles, size)
    foreground = (mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)
    if foreground.any() and not foreground.all():
        models = [_gaussians(image[where]) for where in (~foreground, foreground)]
        # GC_EVAL keeps the given models; the other modes initialise their own.
        cv2.grabCut(image, mask, None, *models, iterations, cv2.GC_EVAL)
        foreground = (mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)
    return foreground.astype("int32")


def _mask_from_box(box, size):
    values = np.asarray(box, "float64").ravel()
    height, width = size
    valid = values.shape == (4,) and np.isfinite(values).all()
    if valid:
        x1, y1, x2, y2 = np.round(values).astype("int64").tolist()
        valid = 0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height
    if not valid or (x2 - x1) * (y2 - y1) == height * width:
        raise ValueError(
            f"`box` must be (x1, y1, x2, y2) inside the image of width {width} and "
            f"height {height}, and leave background. Received: box={box!r}."
        )
    mask = np.full(size, cv2.GC_BGD, "uint8")
    mask[y1:y2, x1:x2] = cv2.GC_PR_FGD
    return mask


def _mask_from_probabilities(probabilities, size, sure_threshold):
    probabilities = np.asarray(probabilities)
    if (
        probabilities.shape != size
        or probabilities.dtype.kind not in "biuf"
        or not (probabilities >= 0).all()
        or not (probabilities <= 1).all()
    ):
        raise ValueError(
            "`probabilities` must be [H, W] of the image's size, of the foreground, "
            f"within 0..1. Received: shape={probabilities.shape}, "
            f"dtype={probabilities.dtype}, image {size}."
        )
    mask = np.where(probabilities > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype("uint8")
    mask[probabilities >= sure_threshold] = cv2.GC_FGD
    mask[probabilities < 1 - sure_threshold] = cv2.GC_BGD
    return mask


def _mask_from_scribbles(scribbles, size):
    scribbles = check_labels(scribbles, size, name="scribbles")
    found = set(np.unique(scribbles).tolist())
    if not {0, 1} <= found <= {0, 1, UNKNOWN}:
        raise ValueError(
            "`scribbles` must hold 0 (background), 1 (foreground) and 255 (unknown), "
            f"the first two at least once. Received: {sorted(found)[:8]}."
        )
    mask = np.full(size, cv2.GC_PR_BGD, "uint8")
    mask[scribbles == 0], mask[scribbles == 1] = cv2.GC_BGD, cv2.GC_FGD
    return mask


def _gaussians(pixels):
    """Gaussian mixture in OpenCV's layout [1, 65]: weights, means, covariances."""
    points = pixels.astype("float32")
    rng = np.random.default_rng(0)
    sample = points[rng.choice(len(points), min(len(points), 10_000), replace=False)]
    centres = cluster(sample, COMPONENTS, rng, iterations=10)
    owner = nearest(points, centres)
    weights = np.zeros(COMPONENTS)
    means = np.zeros([COMPONENTS, 3])
    covariances = np.zeros([COMPONENTS, 3, 3])
    for k in np.unique(owner):
        members = points[owner == k].astype("float64")
        weights[k], means[k] = len(members) / len(points), members.mean(0)
        deviations = members - means[k]
        # Keeps covariances invertible; OpenCV adds 0.01 to singular ones only.
        covariances[k] = deviations.T @ deviations / len(members) + 0.01 * np.eye(3)
    return np.concatenate([weights, means.ravel(), covariances.ravel()])[None]
