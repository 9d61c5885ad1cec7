"""Scores of superpixels against annotators' segments, and without them.

`truth` is one label map [H, W] or several of one image, whose scores are averaged.
Measures and names follow Stutz et al., 2018. No tensorflow here.

    >>> superpixels = np.array([[0, 0, 1, 1]] * 4)
    >>> undersegmentation_error(superpixels, superpixels)
    0.0
"""

import cv2
import numpy as np

FORMS = ("neubert_protzel", "levinshtein", "van_den_bergh")


def boundary_recall(labels, truth, *, tolerance_px=2):
    """Share of the annotators' boundary pixels near a superpixel boundary.

    A boundary pixel differs from the pixel at its right or below; near is a square
    of `tolerance_px` around it.

    Args:
        labels: superpixels, integers [H, W].
        truth: integers [H, W], or a sequence of them.
        tolerance_px: largest distance in rows and in columns, 0 or more.

    Returns:
        float in 0..1, the mean over annotators; 1 where there is no boundary to find.

    Example:
        >>> half = np.repeat([[0, 0, 1, 1]], 4, axis=0)
        >>> boundary_recall(np.repeat([[0, 1, 1, 1]], 4, axis=0), half, tolerance_px=0)
        0.0
        >>> boundary_recall(np.repeat([[0, 1, 1, 1]], 4, axis=0), half, tolerance_px=1)
        1.0

    Reference: Martin et al., 2004, https://doi.org/10.1109/TPAMI.2004.1273918
    """
    if tolerance_px < 0:
        raise ValueError(
            f"`tolerance_px` must be 0 or more. Received: tolerance_px={tolerance_px}."
        )
    labels, truths = _check(labels, truth)
    square = np.ones([2 * tolerance_px + 1] * 2, "uint8")
    near = cv2.dilate(_edges(labels).astype("uint8"), square)
    recalls = []
    for true in truths:
        edge = _edges(true)
        recalls.append(near[edge].mean() if edge.any() else 1.0)
    return float(np.mean(recalls))


def undersegmentation_error(labels, truth, *, form="neubert_protzel"):
    """Overlap of superpixels across the borders of the annotators' segments.

    Args:
        labels, truth: as in `boundary_recall`.
        form: "neubert_protzel" counts for each pair of an overlapping superpixel and
            segment the smaller of the parts inside and outside, per pixel of the
            image. "levinshtein", the first and unbounded form, counts all of the part
            outside, relative to the segment, averaged over segments. "van_den_bergh"
            counts what lies outside the segment of largest overlap (1 - ASA).

    Returns:
        float, the mean over annotators; 0 is best.

    Example:
        >>> half = np.repeat([[0, 0, 1, 1]], 4, axis=0)
        >>> undersegmentation_error(np.repeat([[0, 1, 1, 1]], 4, axis=0), half)
        0.5

    References: Neubert and Protzel, 2012; Levinshtein et al., 2009,
    https://doi.org/10.1109/TPAMI.2009.96; Van den Bergh et al., 2012,
    https://doi.org/10.1007/978-3-642-33786-4_2
    """
    if form not in FORMS:
        raise ValueError(
            f"`form` must be one of {', '.join(FORMS)}. Received: form={form!r}."
        )
    labels, truths = _check(labels, truth)
    return float(np.mean([_undersegmentation(labels, true, form) for true in truths]))


def _undersegmentation(labels, true, form):
    superpixel, segment, inside = _overlaps(labels, true)
    outside = np.bincount(labels.ravel())[superpixel] - inside
    if form == "neubert_protzel":
        return np.minimum(inside, outside).sum() / labels.size
    if form == "van_den_bergh":
        return 1 - _achievable(superpixel, inside, labels.size)
    leaks = np.bincount(segment, outside) / np.bincount(true.ravel())
    return leaks.mean()


def achievable_accuracy(labels, truth):
    """Largest share of right pixels if each superpixel takes one segment (ASA).

    Args:
        labels, truth: as in `boundary_recall`.

    Returns:
        float in 0..1, the mean over annotators; 1 is best.

    Example:
        >>> half = np.repeat([[0, 0, 1, 1]], 4, axis=0)
        >>> achievable_accuracy(np.repeat([[0, 1, 1, 1]], 4, axis=0), half)
        0.75

    Reference: Liu et al., 2011, https://doi.org/10.1109/CVPR.2011.5995323
    """
    labels, truths = _check(labels, truth)
    scores = []
    for true in truths:
        superpixel, _, inside = _overlaps(labels, true)
        scores.append(_achievable(superpixel, inside, labels.size))
    return float(np.mean(scores))


def _achievable(superpixel, inside, size):
    # Pairs are sorted by superpixel: the best of each run.
    starts = np.flatnonzero(np.diff(superpixel, prepend=-1))
    return np.maximum.reduceat(inside, starts).sum() / size


def explained_variation(labels, image):
    """Share of the image's variance that the superpixels' mean colours explain.

    Args:
        labels: superpixels, integers [H, W].
        image: numbers [H, W] or [H, W, C].

    Returns:
        float in 0..1, 1 is best; 1 for an image of one colour.

    Example:
        >>> round(explained_variation([[0, 0, 1, 1]], [[1, 3, 7, 9]]), 3)
        0.9

    Reference: Moore et al., 2008, https://doi.org/10.1109/CVPR.2008.4587471
    """
    labels, _ = _check(labels, labels)
    image = np.asarray(image, "float64")
    if image.shape[:2] != labels.shape:
        raise ValueError(
            "`image` must have the size of `labels`. Received: "
            f"image {image.shape[:2]}, labels {labels.shape}."
        )
    flat = labels.ravel()
    pixels = image.reshape(flat.size, -1)
    pixels = pixels - pixels.mean(0)
    total = np.square(pixels).sum()
    sums = np.stack([np.bincount(flat, channel) for channel in pixels.T], 1)
    explained = (np.square(sums).sum(1) / np.bincount(flat)).sum()
    return float(explained / total) if total > 0 else 1.0


def compactness(labels):
    """Roundness of superpixels: isoperimetric quotients weighted by area.

    Perimeters are counted along pixel sides, image border included, so that a square
    scores pi / 4.

    Args:
        labels: superpixels, integers [H, W].

    Returns:
        float in 0..1.

    Example:
        >>> round(compactness(np.zeros([5, 5], int)), 3)
        0.785

    Reference: Schick et al., 2012, https://ieeexplore.ieee.org/document/6460287
    """
    labels, _ = _check(labels, labels)
    num = int(labels.max()) + 1
    padded = np.pad(labels, 1, constant_values=-1)
    perimeters = np.zeros(num)
    for near in (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2]):
        perimeters += np.bincount(labels[labels != near], minlength=num)
    other = padded[1:-1, 2:]
    perimeters += np.bincount(labels[labels != other], minlength=num)
    areas = np.bincount(labels.ravel(), minlength=num)
    quotients = 4 * np.pi * areas / np.square(perimeters)
    return float((areas * quotients).sum() / labels.size)


def _overlaps(labels, true):
    """Superpixel, segment and pixels in common of all pairs that overlap, sorted."""
    num = int(true.max()) + 1
    codes, inside = _histogram(labels.astype("int64") * num + true)
    return codes // num, codes % num, inside


def _histogram(values):
    """The values that occur, sorted, and their counts."""
    # Sorting is slow, and counting needs memory up to the largest value.
    if values.max() > 16 * values.size:
        return np.unique(values, return_counts=True)
    counts = np.bincount(values.ravel())
    found = np.flatnonzero(counts)
    return found, counts[found]


def _edges(labels):
    edges = np.zeros(labels.shape, bool)
    edges[:, :-1] = labels[:, :-1] != labels[:, 1:]
    edges[:-1] |= labels[:-1] != labels[1:]
    return edges


def _check(labels, truth):
    """`labels` and the list of `truth`, renumbered from 0 without gaps."""
    if isinstance(truth, np.ndarray) and truth.ndim == 3:
        truth = list(truth)
    several = isinstance(truth, (list, tuple)) and np.ndim(truth[0]) == 2
    maps = [np.asarray(one) for one in (labels, *(truth if several else [truth]))]
    for one in maps:
        if one.ndim != 2 or not one.size or one.dtype.kind not in "iub":
            raise ValueError(
                "Label maps must be integers [H, W], not empty. "
                f"Received: shape={one.shape}, dtype={one.dtype}."
            )
        if one.shape != maps[0].shape:
            raise ValueError(
                "`labels` and `truth` must have the same size. "
                f"Received: labels {maps[0].shape}, truth {one.shape}."
            )
    maps = [_renumber(one) for one in maps]
    return maps[0], maps[1:]


def _renumber(one):
    low, high = int(one.min()), int(one.max())
    # A table of all numbers in between would outgrow the map.
    if high - low > 16 * one.size:
        return np.unique(one, return_inverse=True)[1].reshape(one.shape)
    shifted = one.astype("int64") - low
    return (np.cumsum(np.bincount(shifted.ravel()) > 0) - 1)[shifted]
