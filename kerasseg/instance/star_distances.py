"""Targets of StarDist from a label map: object probabilities and ray distances (numpy).

At each pixel of an object: its normalised distance to the background, and the distances
to the outline along rays of fixed directions. Ray k has the angle 2 pi k / R, from the
x axis towards the y axis; rows count downwards, so on screen it turns clockwise.

Reference: Schmidt et al., 2018, https://arxiv.org/abs/1806.03535
"""

import numpy as np
from scipy import ndimage

from kerasseg.instance.masks import crop_instances


def star_targets(labels, num_rays=32, *, grid=1):
    """Targets of `zoo.stardist` for one image.

    Args:
        labels: integers [H, W]; 0 and below are background.
        num_rays: R, at least 3; the paper's 32.
        grid: subsampling of the outputs, 1 or 2.

    Returns:
        dict of probabilities float32 [h, w, 1] and distances float32 [h, w, R], with h
        = ceil(H / grid) and w likewise.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> truth = star_targets(np.array([[0, 7, 7, 7]]), 4)
        >>> truth["probabilities"][0, :, 0].tolist()
        [0.0, 0.3333333432674408, 0.6666666865348816, 1.0]
        >>> truth["distances"][0, 1].tolist()
        [2.5, 0.5, 0.5, 0.5]
    """
    probabilities = object_probabilities(labels)[::grid, ::grid, None]
    distances = star_distances(labels, num_rays, grid=grid)
    return {"probabilities": probabilities, "distances": distances}


def star_distances(labels, num_rays=32, *, grid=1):
    """Distances from pixels to the outline of their object, along rays.

    A ray starts at the centre of a pixel and ends where it first leaves the pixels of
    the same id, or the image. Departs from the authors' program, which marches in steps
    of a pixel: pixels are squares here, and distances exact. O(R * pixels * mean
    distance).

    Args:
        labels: integers [H, W]; 0 and below are background.
        num_rays: R, at least 3.
        grid: subsampling of the result, 1 or 2.

    Returns:
        float32 [ceil(H / grid), ceil(W / grid), R] in pixels; 0 in the background.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> star_distances(np.array([[0, 7, 7, 0]]), 4)[0, :3].tolist()
        [[0.0, 0.0, 0.0, 0.0], [1.5, 0.5, 0.5, 0.5], [0.5, 0.5, 1.5, 0.5]]
    """
    labels = _check_arguments(labels, num_rays, grid)
    height, width = labels.shape
    padded = np.pad(labels, 1)  # a ray ends in the 0 before it could leave the array
    ids = padded.ravel()
    rows, columns = np.nonzero(labels[::grid, ::grid] > 0)
    # Indices of pixels in the flattened, padded map.
    starts = (rows * grid + 1) * padded.shape[1] + columns * grid + 1
    distances = np.zeros([len(starts), num_rays], "float32")
    for ray, angle in enumerate(ray_angles(num_rays)):
        rest, at, own = np.arange(len(starts)), starts, ids[starts]
        for distance, x, y in zip(*_crossed_pixels(angle, height + width)):
            inside = ids.take(at + (y * padded.shape[1] + x)) == own
            distances[rest[~inside], ray] = distance
            rest, at, own = (values[inside] for values in (rest, at, own))
            if not len(rest):
                break
    result = np.zeros([-(-height // grid), -(-width // grid), num_rays], "float32")
    result[rows, columns] = distances
    return result


def object_probabilities(labels):
    """Object probabilities: distance transforms of each object, scaled to 1.

    The Euclidean distance to the nearest pixel that is not of the object, divided by
    its maximum in the object. Pixels beyond the border of the image are unknown and do
    not count.

    Args:
        labels: integers [H, W]; 0 and below are background.

    Returns:
        float32 [H, W] in 0..1, 0 in the background.

    Example:
        >>> object_probabilities(np.array([[0, 7, 7, 7, 5, 5, 0]])).tolist()
        [[0.0, 0.5, 1.0, 0.5, 1.0, 1.0, 0.0]]
    """
    labels = _check_arguments(labels)
    height, width = labels.shape
    result = np.zeros(labels.shape, "float32")
    for _, (x1, y1, x2, y2), mask in crop_instances(labels):
        # A background margin except at the border of the image, where none is known.
        margin = np.int64([[y1 > 0, y2 < height], [x1 > 0, x2 < width]])
        inside = np.pad(mask, margin)
        if inside.all():  # the whole image: the distance transform is undefined
            result[:] = 1.0
            continue
        depth = ndimage.distance_transform_edt(inside)
        top, left = margin[:, 0]
        depth = depth[top:, left:][: y2 - y1, : x2 - x1]
        result[y1:y2, x1:x2][mask] = depth[mask] / depth.max()
    return result


def ray_angles(num_rays):
    """Angles of the rays in radians, float64 [R], ascending from 0."""
    return 2 * np.pi * np.arange(num_rays) / num_rays


def _crossed_pixels(angle, reach):
    """Pixels that a ray from the centre of a pixel enters, in order.

    They are the same for rays from all pixels, which makes the search fast.

    Args:
        angle: of the ray, in radians.
        reach: most rows plus columns that are crossed.

    Returns:
        Distances at which it enters them, and their offsets x and y in pixels.
    """
    direction = np.array([np.cos(angle), np.sin(angle)])
    speed = np.maximum(np.abs(direction), 1e-12)  # axis-parallel: not 1 / 0
    times = ((np.arange(reach) + 0.5) / speed[:, None]).ravel()
    order = np.argsort(times, kind="stable")
    steps = np.repeat(np.eye(2, dtype="int64"), reach, axis=0)[order].cumsum(0)
    times = times[order]
    # A ray through a corner enters the diagonal pixel and neither of its neighbours.
    used = np.append(np.diff(times) > 1e-9, True) & (times < 2 * reach)
    x, y = (steps[used] * np.sign(direction).astype("int64")).T
    return times[used].tolist(), x.tolist(), y.tolist()


def _check_arguments(labels, num_rays=3, grid=1):
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
