"""Star-convex polygons: from the outputs of StarDist to instances (numpy).

A polygon is a pixel and the distances to its outline along rays, see `star_distances`.
It covers the pixels whose centres lie inside of the outline or on it.

    >>> square = np.full([1, 4], 1.5)  # a diamond around pixel (2, 1)
    >>> polygons = Polygons(np.array([[2, 1]]), square, np.ones(1))
    >>> to_label_map(polygons, (3, 5))
    array([[0, 0, 1, 0, 0],
           [0, 1, 1, 1, 0],
           [0, 0, 1, 0, 0]], dtype=int32)

Reference: Schmidt et al., 2018, https://arxiv.org/abs/1806.03535
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from kerasseg.instance.instances import Instances
from kerasseg.instance.masks import masks_to_boxes

_MAX_PIXELS = 2**23  # of rasterized polygons in memory at once
_MAX_VOTES = 128  # more neighbouring pixels say the same
_SAME = 0.7  # share from which on proposals are taken for outlines of one object


class Polygons(NamedTuple):
    """Polygons of one image, best first.

    points: int [K, 2], (x, y) of their pixels.
    distances: float32 [K, R] in pixels.
    scores: float32 [K] in 0..1.
    """

    points: np.ndarray
    distances: np.ndarray
    scores: np.ndarray


def decode(logits, distances, **options):
    """Polygons of one image from the outputs of `zoo.stardist`.

    Args:
        logits: float [h, w, 1], of the object probability.
        distances: float [h, w, R] in pixels of the image.
        options: of `find`.

    Returns:
        `Polygons` in pixels of the image.
    """
    return find(expit(np.asarray(logits, "float32")[..., 0]), distances, **options)


def find(
    scores,
    distances,
    *,
    grid=1,
    score_threshold=0.5,
    overlap_threshold=0.4,
    vote=False,
):
    """Polygons of one image from object probabilities.

    Every pixel of sufficient probability proposes a polygon; non-maximum suppression
    removes those that overlap better ones.

    Args:
        scores: float [h, w], object probabilities.
        distances: float [h, w, R] in pixels of the image.
        grid: pixels of the image per pixel of the outputs.
        score_threshold: least probability of a proposal.
        overlap_threshold: `threshold` of `suppress`.
        vote: see `voted`; otherwise the best proposal is the outline, as in StarDist.

    Returns:
        `Polygons` in pixels of the image.
    """
    rows, columns = np.nonzero(scores >= score_threshold)
    points = np.stack([columns, rows], -1) * grid
    found = Polygons(
        points,
        # Nothing keeps a network from predicting negative distances.
        np.maximum(np.asarray(distances, "float32")[rows, columns], 0.0),
        scores[rows, columns],
    )
    groups = _groups(found, overlap_threshold)
    if vote:
        best = ((group[:_MAX_VOTES], shares[:_MAX_VOTES]) for group, shares in groups)
        return voted(found, [group[shares > _SAME] for group, shares in best])
    return Polygons(*(values[[group[0] for group, _ in groups]] for values in found))


def suppress(polygons, *, threshold=0.4):
    """Greedy non-maximum suppression of polygons, by their rasterized masks.

    A polygon is suppressed by a better one that is kept if their intersection is more
    than `threshold` of the area of the smaller one. O(pixels of all polygons * kept
    neighbours).

    Args:
        polygons: `Polygons` in any order.
        threshold: in 0..1.

    Returns:
        Indices int64 of the polygons that are kept, best first.

    Example:
        >>> points = np.array([[5, 5], [6, 5], [12, 5]])
        >>> scores = np.array([0.7, 0.9, 0.8])
        >>> suppress(Polygons(points, np.full([3, 8], 3.0), scores)).tolist()
        [1, 2]
    """
    groups = _groups(polygons, threshold)
    return np.array([group[0] for group, _ in groups], "int64")


def voted(polygons, groups):
    """Polygons with outlines that all proposals of an object agree on.

    Proposals differ most where the image says least, and one pixel's word is noise.
    The outline of each is seen from the point of the best one; along each ray the
    median, weighted by the scores, becomes the distance. So boxes vote in detection
    (Gidaris & Komodakis, 2015, https://arxiv.org/abs/1505.01749). `decode` gives a vote
    to proposals that share more than 0.7 of the smaller area with the best one, at most
    128.

    Args:
        polygons: `Polygons`, K.
        groups: indices of polygons per object, the best first.

    Returns:
        `Polygons`, one per group.

    Example:
        >>> points, scores = np.array([[5, 5]] * 3), np.array([0.9, 0.8, 0.8])
        >>> distances = np.array([[6.0] * 8, [3.0] * 8, [3.0] * 8])
        >>> voted(Polygons(points, distances, scores), [[0, 1, 2]]).distances[0, 0]
        np.float32(3.0)
    """
    points, distances, scores = (np.asarray(values) for values in polygons)
    best = np.array([group[0] for group in groups], "int64")
    agreed = np.zeros([len(groups), distances.shape[1]], "float32")
    for outline, group in zip(agreed, groups):
        seen = _seen_from(points[group[0]], points[group], distances[group])
        outline[:] = _weighted_median(seen, scores[group])
    return Polygons(points[best], agreed, scores[best])


def to_label_map(polygons, size):
    """Label map of polygons: polygon i has id i + 1, the best score in front.

    Args:
        polygons: `Polygons`.
        size: (H, W).

    Returns:
        int32 [H, W], 0 background.
    """
    labels = np.zeros(size, "int32")
    for index in np.argsort(np.asarray(polygons.scores), kind="stable"):
        place, mask = _mask_in_image(polygons, index, size)
        labels[place][mask] = index + 1
    return labels


def to_instances(polygons, size):
    """`Instances` of polygons, all of class 0, with masks of K * H * W bytes.

    Args:
        polygons: `Polygons`.
        size: (H, W) of the image.
    """
    masks = np.zeros([len(polygons.points), *size], bool)
    for index, mask in enumerate(masks):
        place, part = _mask_in_image(polygons, index, size)
        mask[place] = part
    classes = np.zeros(len(masks), "int32")
    scores = np.asarray(polygons.scores, "float32")
    return Instances(masks_to_boxes(masks), classes, scores, masks)


def rasterize(distances, reach):
    """Rasterize polygons into square masks around their points.

    Args:
        distances: [K, R] in pixels.
        reach: half width of the squares in pixels; polygons are clipped to them.

    Returns:
        bool [K, 2 * reach + 1, 2 * reach + 1]; the points are in the centre.
    """
    distances = np.asarray(distances, "float32")
    num_rays, side = distances.shape[-1], 2 * reach + 1
    y, x = np.indices([side, side]).reshape(2, -1) - reach
    angle = 2 * np.pi / num_rays
    turn = np.arctan2(y, x) % (2 * np.pi)
    # Rounding may lead to a whole turn, behind the last ray.
    first = np.minimum((turn / angle).astype("int64"), num_rays - 1)
    # Between rays of lengths a and b, a point at radius r and angle t from the first is
    # inside where r (a sin t + b sin(angle - t)) <= a b sin(angle): its triangles with
    # either ray are together no larger than the triangle of both rays.
    turn, radius = turn - first * angle, np.hypot(x, y)
    weight_a = (radius * np.sin(turn)).astype("float32")
    weight_b = (radius * np.sin(angle - turn)).astype("float32")
    a, b = distances[:, first], distances[:, (first + 1) % num_rays]
    # The tolerance keeps points on the outline inside in spite of rounding.
    limit = a * b * np.float32(np.sin(angle)) * np.float32(1 + 1e-5) + 1e-6
    return (a * weight_a + b * weight_b <= limit).reshape(-1, side, side)


def _groups(polygons, threshold):
    """Pairs of indices and shares: a polygon that is kept, and those it suppresses.

    The best come first. Shares are of the intersection with the one that is kept, which
    counts as 1 itself, in the smaller area.
    """
    points, distances, scores = (np.asarray(values) for values in polygons)
    reaches = distances.max(1, initial=0)
    candidate = np.ones(len(points), bool)
    groups = []
    for index in np.argsort(-scores, kind="stable"):
        if not candidate[index]:
            continue
        candidate[index] = False
        apart = np.linalg.norm(points - points[index], axis=1)
        # Polygons can overlap only where the circles around them do.
        near = np.flatnonzero(candidate & (apart <= reaches + reaches[index]))
        shares = _overlaps(points, distances, index, near)
        near, shares = near[shares > threshold], shares[shares > threshold]
        candidate[near] = False
        order = np.argsort(-scores[near], kind="stable")
        groups.append((np.r_[index, near[order]], np.r_[1.0, shares[order]]))
    return groups


def _seen_from(point, points, distances):
    """Outlines seen from one point: [K, R], 0 where a ray meets none.

    A ray that meets an outline more than once ends at the farthest place.
    """
    num_rays = distances.shape[1]
    angles = 2 * np.pi * np.arange(num_rays) / num_rays
    rays = np.stack([np.cos(angles), np.sin(angles)], -1)
    begin = (points - point)[:, None] + distances[..., None].astype("float64") * rays
    edge = np.roll(begin, -1, 1) - begin
    # Where t * ray = begin + s * edge, with s in 0..1.
    across = (
        rays[:, None, None, 0] * edge[..., 1] - rays[:, None, None, 1] * edge[..., 0]
    )
    crossed = np.abs(across) > 1e-9
    across = np.where(crossed, across, 1)
    t = (begin[..., 0] * edge[..., 1] - begin[..., 1] * edge[..., 0]) / across
    s = begin[..., 0] * rays[:, None, None, 1] - begin[..., 1] * rays[:, None, None, 0]
    s /= across
    met = crossed & (s >= -1e-9) & (s <= 1 + 1e-9) & (t >= 0)
    return np.where(met, t, 0).max(-1).T


def _weighted_median(values, weights):
    """Median over the first axis of [K, R], where values count by weights [K]."""
    order = np.argsort(values, axis=0, kind="stable")
    sums = np.cumsum(np.asarray(weights, "float64")[order], axis=0)
    middle = (sums >= sums[-1] / 2).argmax(0)
    return np.take_along_axis(values, order, 0)[middle, np.arange(values.shape[1])]


def _overlaps(points, distances, index, near):
    """Intersection of polygon `index` and each of `near`, over the smaller: [J]."""
    if not len(near):
        return np.zeros(0)
    reach = int(np.ceil(distances[[index, *near]].max()))
    mask = rasterize(distances[index : index + 1], reach)[0]
    area, side = np.count_nonzero(mask), len(mask)
    # Padded so that a window at the place of every neighbour's square exists.
    around = np.pad(mask, 2 * reach)
    windows = np.lib.stride_tricks.sliding_window_view(around, (side, side))
    shares = []
    for part in np.array_split(near, -(-len(near) * side * side // _MAX_PIXELS)):
        x, y = (points[part] - points[index] + 2 * reach).T
        others = rasterize(distances[part], reach)
        shared = np.count_nonzero(others & windows[y, x], axis=(1, 2))
        areas = np.count_nonzero(others, axis=(1, 2))
        shares.append(shared / np.minimum(areas, area))
    return np.concatenate(shares)


def _mask_in_image(polygons, index, size):
    """Slices of an image that a polygon's square covers, and its mask there."""
    distances = np.asarray(polygons.distances)[index : index + 1]
    reach = int(np.ceil(distances.max()))
    mask = rasterize(distances, reach)[0]
    (x, y), (height, width) = polygons.points[index], size
    top, left = y - reach, x - reach
    rows = slice(max(top, 0), min(y + reach + 1, height))
    columns = slice(max(left, 0), min(x + reach + 1, width))
    inner = np.s_[rows.start - top : rows.stop - top]
    return (rows, columns), mask[inner, columns.start - left : columns.stop - left]
