"""What StarDist learns of a label map: probabilities and distances (numpy).

At each pixel of an object: how far it lies inside, and how far it is to the outline
along rays in fixed directions. Ray k points to the angle 2 pi k / R, from the x axis
towards the y axis; rows grow downwards, so on the screen it turns clockwise.

Reference: Schmidt et al., 2018, https://arxiv.org/abs/1806.03535
"""

import numpy as np
from scipy import ndimage

from kerasseg.instance.masks import crop_instances


def star_targets(labels, num_rays=32, *, grid=1):
    """Truth for `zoo.stardist`, of one image.

    Args:
        labels: integers [H, W]; 0 and below are background.
        num_rays: R, at least 3.
        grid: 1, or 2 for every other pixel of every other row.

    Returns:
        dict of probabilities float32 [h, w, 1] and distances float32 [h, w, R], with h
        = ceil(H / grid) and w likewise.

    Raises:
        ValueError: if an argument is out of range.
    """
    probabilities = object_probabilities(labels)[::grid, ::grid, None]
    distances = star_distances(labels, num_rays, grid=grid)
    return {"probabilities": probabilities, "distances": distances}


def star_distances(labels, num_rays=32, *, grid=1):
    """Distances from pixels to the outline of their object, along rays.

    A ray starts in the centre of a pixel and ends where it first leaves the squares of
    pixels of the same id, or the image: exact, and not rounded to steps. In time it
    takes the number of squares that all rays cross, R * pixels * mean distance.

    Args:
        labels: integers [H, W]; 0 and below are background.
        num_rays: R, at least 3.
        grid: 1, or 2 for every other pixel of every other row.

    Returns:
        float32 [ceil(H / grid), ceil(W / grid), R] in pixels; 0 in the background.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> star_distances(np.array([[0, 7, 7, 0]]), 4)[0, :3].tolist()
        [[0.0, 0.0, 0.0, 0.0], [1.5, 0.5, 0.5, 0.5], [0.5, 0.5, 1.5, 0.5]]
    """
    labels = _checked(labels, num_rays, grid)
    height, width = labels.shape
    padded = np.pad(labels, 1)  # a ray ends in 0 before it could leave the array
    ids = padded.ravel()
    rows, columns = np.nonzero(labels[::grid, ::grid] > 0)
    starts = (rows * grid + 1) * padded.shape[1] + columns * grid + 1
    distances = np.zeros([len(starts), num_rays], "float32")
    for ray, angle in enumerate(angles_of(num_rays)):
        rest, at, own = np.arange(len(starts)), starts, ids[starts]
        for distance, x, y in zip(*_squares(angle, height + width)):
            inside = ids.take(at + (y * padded.shape[1] + x)) == own
            distances[rest[~inside], ray] = distance
            rest, at, own = (values[inside] for values in (rest, at, own))
            if not len(rest):
                break
    result = np.zeros([-(-height // grid), -(-width // grid), num_rays], "float32")
    result[rows, columns] = distances
    return result


def object_probabilities(labels):
    """How far inside of its object each pixel lies, 1 at the innermost.

    The Euclidean distance to the nearest pixel that is not of the object, over the
    largest one of the object. What lies beyond the image is unknown and counts as
    neither.

    Args:
        labels: integers [H, W]; 0 and below are background.

    Returns:
        float32 [H, W] in 0..1, 0 in the background.

    Example:
        >>> object_probabilities(np.array([[0, 7, 7, 7, 5, 5, 0]])).tolist()
        [[0.0, 0.5, 1.0, 0.5, 1.0, 1.0, 0.0]]
    """
    labels = _checked(labels)
    height, width = labels.shape
    result = np.zeros(labels.shape, "float32")
    for _, (x1, y1, x2, y2), mask in crop_instances(labels):
        margin = np.int64([[y1 > 0, y2 < height], [x1 > 0, x2 < width]])
        inside = np.pad(mask, margin)
        if inside.all():  # the whole image: there is no distance to anything
            result[:] = 1.0
            continue
        depth = ndimage.distance_transform_edt(inside)
        top, left = margin[:, 0]
        depth = depth[top:, left:][: y2 - y1, : x2 - x1]
        result[y1:y2, x1:x2][mask] = depth[mask] / depth.max()
    return result


def angles_of(num_rays):
    """Angles of the rays in radians, float64 [R]."""
    return 2 * np.pi * np.arange(num_rays) / num_rays


def _squares(angle, reach):
    """Squares that a ray from the centre of one enters, in order.

    They are the same for all pixels, which makes the search fast.

    Returns:
        Distances at which it enters them, and their offsets x and y in pixels.
    """
    direction = np.array([np.cos(angle), np.sin(angle)])
    speed = np.maximum(np.abs(direction), 1e-12)
    times = ((np.arange(reach) + 0.5) / speed[:, None]).ravel()
    order = np.argsort(times, kind="stable")
    steps = np.repeat(np.eye(2, dtype="int64"), reach, axis=0)[order].cumsum(0)
    times = times[order]
    # A ray through a corner goes to the square beyond, and through neither neighbour.
    used = np.append(np.diff(times) > 1e-9, True) & (times < 2 * reach)
    x, y = (steps[used] * np.sign(direction).astype("int64")).T
    return times[used].tolist(), x.tolist(), y.tolist()


def _checked(labels, num_rays=3, grid=1):
    labels = np.asarray(labels)
    if labels.ndim != 2 or labels.dtype.kind not in "iu":
        raise ValueError(
            "`labels` must be integers [H, W]. "
            f"Received: shape={labels.shape}, dtype={labels.dtype}."
        )
    if num_rays < 3:
        raise ValueError(f"`num_rays` must be at least 3. Received: {num_rays}.")
    if grid not in (1, 2):
        raise ValueError(f"`grid` must be 1 or 2. Received: grid={grid}.")
    return labels
