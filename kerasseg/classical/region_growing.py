"""Region growing from seeds: fixed range, adaptive mean, and best-first order."""

import heapq
import math

import cv2
import numpy as np

from kerasseg.classical._inputs import check_choice, check_image, check_number
from kerasseg.classical._seeds import read_seeds
from kerasseg.images import values

MODES = ("fixed", "adaptive", "best_first")


def region_growing(
    image,
    seeds,
    *,
    tolerance: float | None = 10.0,
    connectivity: int = 4,
    mode: str = "fixed",
    seed: int = 0,
) -> np.ndarray:
    """Grow regions from seeds over neighbouring pixels of similar value.

    Modes:
        "fixed": a pixel is added if each channel differs by at most `tolerance` from
            the seed (from the mean of a marker). Regions grow one after the other;
            equal to `cv2.floodFill` with a fixed range, and as fast. O(pixels reached).
        "adaptive": as "fixed", then again around the mean of the region so far, until
            it stops growing. O(pixels reached * rounds).
        "best_first": seeded region growing of Adams and Bischof. All regions grow at
            once, always by the queued pixel whose colour is nearest (Euclidean) to the
            mean of the region that queued it. A pixel between regions is added to the
            one of nearest mean. In this mode alone `tolerance` may be None, for no
            limit: every pixel is then reached. O(N log N) in plain Python: 5 to 7 s
            per megapixel.

    Args:
        image: RGB [H, W, 3] or grey [H, W]. Differences are absolute here: numbers
            other than uint8 are scaled to 0..255 as in `images.values`; where the range
            cannot be known, give `images.scale(image, (black, white))`.
        seeds: points (row, column), one or [N, 2]; or markers, integers [H, W] whose
            values 1, 2, ... are the seeds of one region each; or an integer, the number
            of random points.
        tolerance: largest difference, in units of 0..255, whatever the dtype.
        connectivity: 4, or 8 to grow over corners, too.
        mode: see above.
        seed: of the random points.

    Returns:
        int32 [H, W]: regions 0, 1, ... in the order of their seeds, -1 where no region
        came. A seed inside the region of an earlier one starts no region; only in
        "best_first" all regions start before they grow. `region_statistics` describes
        the regions.

    Raises:
        ValueError: if a seed is outside the image, an argument out of range, or the
            range of the image cannot be known.

    Example:
        >>> steps = np.array([[0, 4, 8, 90], [0, 4, 8, 90]], "uint8")
        >>> region_growing(steps, [(0, 0), (0, 3)], tolerance=5)[0].tolist()
        [0, 0, -1, 1]
        >>> region_growing(steps, (0, 0), tolerance=5, mode="adaptive")[0].tolist()
        [0, 0, -1, -1]
        >>> region_growing(steps, [(0, 0), (0, 3)], tolerance=None, mode="best_first"
        ...     )[0].tolist()
        [0, 0, 0, 1]

    Reference: Adams and Bischof, 1994, https://doi.org/10.1109/34.295913
    """
    image = check_image(image)
    check_choice(mode, "mode", MODES)
    check_choice(connectivity, "connectivity", (4, 8))
    if tolerance is not None or mode != "best_first":
        check_number(tolerance, "tolerance", 0.0)
        if 255 < tolerance < math.inf:
            raise ValueError(
                "`tolerance` must be in 0..255, the units of 8-bit images, for other "
                f"dtypes too. Received: tolerance={tolerance}."
            )
    groups = read_seeds(seeds, image.shape[:2], seed)
    image = np.asarray(values.scale(image))
    if mode == "best_first":
        return _best_first(image, groups, tolerance, connectivity)
    return _one_by_one(image, groups, tolerance, connectivity, mode == "adaptive")


def _one_by_one(image, groups, tolerance, connectivity, adaptive):
    height, width, _ = image.shape
    # cv2.floodFill compares with the value at its starting point. To compare with a
    # mean instead, the mean is written there, into a copy of the image.
    rewrites = adaptive or any(len(points) > 1 for points in groups)
    if rewrites:
        values = np.array(image, "float32", order="C")
    else:  # only read, though OpenCV demands a writable array
        values = np.require(image, requirements=["C", "W"])
    # Finite, though `tolerance` may be infinite; 3e38 is below the largest float32.
    limit = min(tolerance, 255.0 if values.dtype == "uint8" else 3e38)
    labels = np.full([height, width], -1, "int32")
    # 0 free, 1 in a finished region, 2..255 marks of one fill each. OpenCV's mask is
    # one pixel wider than the image on every side.
    mask = np.zeros([height + 2, width + 2], "uint8")
    inner = mask[1:-1, 1:-1]
    number, mark = 0, 1
    for points in groups:
        points = points[labels[points[:, 0], points[:, 1]] < 0]
        if not len(points):
            continue
        mark = mark + 1
        if mark > 255:  # no more values in a byte: finished regions become 1
            mask[mask > 0], mark = 1, 2
        if len(points) > 1:
            pixels = image[points[:, 0], points[:, 1]]
            values[points[:, 0], points[:, 1]] = pixels.mean(0, dtype="float64")
        # The flags of floodFill: connectivity in the low byte, the mark in the next.
        flood = (values, mask, points, limit, connectivity | mark << 8)
        box, inside = _flood(*flood)
        while adaptive:
            size = np.count_nonzero(inside)
            values[box][inside] = image[box][inside].mean(0, dtype="float64")
            inner[box][inside] = 0
            box, inside = _flood(*flood)
            if np.count_nonzero(inside) == size:
                break
        np.copyto(labels[box], number, where=inside)
        number += 1
    return labels


def _flood(values, mask, points, limit, flags):
    """Flood fill from points: slices of the bounding box, and bool filled within it."""
    mark = flags >> 8
    flags |= cv2.FLOODFILL_FIXED_RANGE | cv2.FLOODFILL_MASK_ONLY
    limits = (limit,) * 4
    top, left = points.min(0)
    bottom, right = points.max(0) + 1
    for row, col in points.tolist():
        if mask[row + 1, col + 1] == mark:
            continue
        start = (col, row)
        *_, (x, y, w, h) = cv2.floodFill(values, mask, start, 0, limits, limits, flags)
        top, left = min(top, y), min(left, x)
        bottom, right = max(bottom, y + h), max(right, x + w)
    box = slice(top, bottom), slice(left, right)
    return box, mask[1:-1, 1:-1][box] == mark


def _best_first(image, groups, tolerance, connectivity):
    """Seeded region growing on flat lists; -2 around the image stops the growth.

    Departs from the paper: there is no boundary label, a pixel between regions is added
    to the one of nearest mean; and `tolerance` may end the growth.
    """
    height, width, channels = image.shape
    stride = width + 2
    # Grey images get two constant channels, so that one loop serves both.
    rows = np.pad(image, [(1, 1), (1, 1), (0, 3 - channels)])
    first, second, third = (rows[..., k].ravel().tolist() for k in range(3))
    labels = np.full([height + 2, stride], -2, "int32")
    labels[1:-1, 1:-1] = -1
    groups = _disjoint_seeds(groups, labels[1:-1, 1:-1])
    starts = [((g[:, 0] + 1) * stride + g[:, 1] + 1).tolist() for g in groups]
    labels = labels.ravel().tolist()
    means = [
        [sum(channel[p] for p in pixels) / len(pixels) for pixels in starts]
        for channel in (first, second, third)
    ]
    sizes = [len(pixels) for pixels in starts]
    steps = (-1, 1, -stride, stride)
    if connectivity == 8:
        steps += (-stride - 1, -stride + 1, stride - 1, stride + 1)
    limit = float("inf") if tolerance is None else tolerance**2
    _grow(labels, (first, second, third), starts, means, sizes, steps, limit)
    found = np.array(labels, "int32").reshape(height + 2, stride)
    return np.ascontiguousarray(found[1:-1, 1:-1])


def _disjoint_seeds(groups, labels):
    """Seeds without pixels of earlier ones; those left are written into `labels`."""
    kept = []
    for points in groups:
        points = points[labels[points[:, 0], points[:, 1]] < 0]
        if len(points):
            labels[points[:, 0], points[:, 1]] = len(kept)
            kept.append(points)
    return kept


def _grow(labels, channels, starts, means, sizes, steps, limit):
    """Grow `labels` in place.

    Lists and local names: access to elements of numpy arrays is several times slower,
    and this loop is all of the cost.
    """
    first, second, third = channels
    mean1, mean2, mean3 = means
    push, pop = heapq.heappush, heapq.heappop
    queued = bytearray(len(labels))
    queue, order = [], 0
    added = [(pixel, k) for k, pixels in enumerate(starts) for pixel in pixels]
    while True:
        for pixel, k in added:
            a, b, c = mean1[k], mean2[k], mean3[k]
            for step in steps:
                near = pixel + step
                if labels[near] == -1 and not queued[near]:
                    queued[near] = 1
                    x, y, z = first[near] - a, second[near] - b, third[near] - c
                    order += 1  # first come, first served at equal distance
                    push(queue, (x * x + y * y + z * z, order, near))
        if not queue:
            return
        _, _, pixel = pop(queue)
        x, y, z = first[pixel], second[pixel], third[pixel]
        best, k = limit, -1
        for step in steps:
            label = labels[pixel + step]
            if label >= 0 and label != k:
                a, b, c = x - mean1[label], y - mean2[label], z - mean3[label]
                distance = a * a + b * b + c * c
                if distance < best or (distance == best and (k < 0 or label < k)):
                    best, k = distance, label
        queued[pixel] = 0
        if k < 0:  # too far now; a neighbour that joins later may find it again
            added = ()
            continue
        labels[pixel] = k
        sizes[k] += 1
        share = 1 / sizes[k]
        mean1[k] += (x - mean1[k]) * share
        mean2[k] += (y - mean2[k]) * share
        mean3[k] += (z - mean3[k]) * share
        added = ((pixel, k),)
