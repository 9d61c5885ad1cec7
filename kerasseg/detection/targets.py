"""Training targets of fixed shape from padded ground truth.

Ground truth is boxes [N, G, 4] in pixels and classes int [N, G], 0..C-1 and -1 for
padding.
"""

from typing import Any, NamedTuple

from keras import ops

from kerasseg.detection import boxes as geometry
from kerasseg.detection.gather import gather
from kerasseg.detection.matching import POSITIVE, match, sample


class AnchorTargets(NamedTuple):
    """Targets of anchors, or of the boxes of a second stage.

    labels: int32 [N, A], 1 positive, 0 negative, -1 ignored.
    objects: int32 [N, A], matched object 0..G-1.
    classes: int32 [N, A], 0 for background, class + 1 for positive anchors.
    deltas: float32 [N, A, 4], encoded box of the object.
    """

    labels: Any
    objects: Any
    classes: Any
    deltas: Any


class CenterTargets(NamedTuple):
    """Targets of a centre-based detector, in pixels of its features.

    heatmap: float32 [N, h, w, C], 1 at centres.
    positions: int32 [N, G], row * w + column of the pixel of each centre.
    sizes: float32 [N, G, 2], width and height.
    offsets: float32 [N, G, 2], x and y of the centre within its pixel, 0..1.
    weights: float32 [N, G], 1 for objects, 0 for padding.
    """

    heatmap: Any
    positions: Any
    sizes: Any
    offsets: Any
    weights: Any


def anchor_targets(
    anchors,
    boxes,
    classes,
    *,
    low_threshold,
    high_threshold,
    low_quality_matches=None,
    weights=(1.0, 1.0, 1.0, 1.0),
):
    """Match anchors to objects, and encode the boxes of these.

    Args:
        anchors: [A, 4], or [N, A, 4] of each image.
        boxes, classes: ground truth.
        low_threshold, high_threshold, low_quality_matches: as in `match`: 0.3, 0.7,
            "ties" for a region proposal network; 0.4, 0.5, "assign" for YOLACT; 0.5,
            0.5, None for a second stage.
        weights: of the deltas, see `boxes.encode`.

    Returns:
        `AnchorTargets`. No gradient flows into them.
    """
    anchors = ops.stop_gradient(ops.cast(anchors, "float32"))
    boxes, classes = ops.cast(boxes, "float32"), ops.cast(classes, "int32")
    # [N, A, G]; anchors [A, 4] are broadcast over the images.
    overlaps = geometry.iou(ops.expand_dims(anchors, -2), ops.expand_dims(boxes, -3))
    valid = classes >= 0
    objects, labels = match(
        overlaps,
        low_threshold=low_threshold,
        high_threshold=high_threshold,
        valid=valid,
        low_quality_matches=low_quality_matches,
    )
    ids = ops.where(labels == POSITIVE, gather(classes, objects) + 1, 0)
    deltas = geometry.encode(gather(boxes, objects), anchors, weights)
    return AnchorTargets(labels, objects, ids, deltas)


def roi_targets(
    proposals, boxes, classes, *, num, positive_fraction=0.25, threshold=0.5, seed
):
    """Sample the boxes that train the second stage of a two-stage detector.

    True boxes are added to the proposals, so that there are positives from the first
    step on.

    Args:
        proposals: [N, P, 4]; rows of zeros are padding.
        boxes, classes: ground truth.
        num: number of boxes sampled per image.
        positive_fraction, seed: as in `sample`.
        threshold: least IoU of a positive box with its object; all below are negative.

    Returns:
        Boxes float32 [N, num, 4]; their `AnchorTargets` with deltas of weights 10, 10,
        5, 5, positives first; and weights float32 [N, num], 0 for rows that only pad.

    Reference: Ren et al., 2015, https://arxiv.org/abs/1506.01497
    """
    boxes = ops.cast(boxes, "float32")
    rois = ops.concatenate([ops.cast(proposals, "float32"), boxes], axis=1)
    rois = ops.stop_gradient(rois)
    found = anchor_targets(
        rois,
        boxes,
        classes,
        low_threshold=threshold,
        high_threshold=threshold,
        weights=(10.0, 10.0, 5.0, 5.0),  # 1 / deviations of .1, .1, .2, .2 (Fast R-CNN)
    )
    # Padding has no area, and must not be sampled as background.
    labels = ops.where(geometry.area(rois) > 0, found.labels, -1)
    indices, weights = sample(
        labels, num, positive_fraction=positive_fraction, seed=seed
    )
    found = found._replace(labels=labels)
    return (
        gather(rois, indices),
        AnchorTargets(*(gather(values, indices) for values in found)),
        weights,
    )


def center_targets(boxes, classes, *, num_classes, size, stride=4, overlap=0.7):
    """Targets of CenterNet: heatmaps with a Gaussian at each centre, sizes and offsets.

    The Gaussian has sigma (2 r + 1) / 6, with r of `gaussian_radius` rounded down;
    Gaussians of one class are combined by the maximum. CenterNet truncates them at r,
    where they are below 0.02; here they are not truncated.

    Args:
        boxes, classes: ground truth.
        num_classes: C.
        size: (height, width) of the features.
        stride: pixels of the image per pixel of the features.
        overlap: least IoU of a box whose corners are off by r.

    Returns:
        `CenterTargets`.

    Reference: Zhou et al., 2019, https://arxiv.org/abs/1904.07850
    """
    height, width = size
    boxes, classes = ops.cast(boxes, "float32") / stride, ops.cast(classes, "int32")
    weights = ops.cast(classes >= 0, "float32")
    centers = 0.5 * (boxes[..., :2] + boxes[..., 2:])  # [N, G, 2], x and y
    last = ops.convert_to_tensor([width - 1, height - 1], "float32")
    # A centre on the lower or right border of the image is in the last pixel.
    pixels = ops.clip(ops.floor(centers), 0.0, last)
    sizes = ops.maximum(boxes[..., 2:] - boxes[..., :2], 0.0)
    radius = ops.floor(gaussian_radius(sizes[..., 0], sizes[..., 1], overlap))
    gaussians = _gaussians(pixels, (2 * radius + 1) / 6, size)
    gaussians = gaussians * weights[..., None, None]
    return CenterTargets(
        _class_maxima(gaussians, classes, num_classes),
        ops.cast(pixels[..., 1] * width + pixels[..., 0], "int32"),
        sizes,
        ops.clip(centers - pixels, 0.0, 1.0),
        weights,
    )


def _gaussians(centers, sigma, size):
    """Gaussians at centres [N, G, 2] of deviations [N, G]: [N, G, h, w], peak 1."""

    def along(axis, length):
        distance = ops.arange(length, dtype="float32") - centers[..., axis : axis + 1]
        return ops.exp(-ops.square(distance / ops.expand_dims(sigma, -1)) / 2)

    rows, columns = along(1, size[0]), along(0, size[1])
    return ops.expand_dims(rows, -1) * ops.expand_dims(columns, -2)


def _class_maxima(maps, classes, num_classes):
    """Maximum over the objects of each class of maps [N, G, h, w]: [N, h, w, C]."""
    images, objects = ops.shape(classes)
    height, width = maps.shape[2:]
    # One row per image and class. Padding has maps of 0, which class 0 may take.
    rows = ops.expand_dims(ops.arange(images, dtype="int32") * num_classes, -1)
    rows = ops.reshape(rows + ops.maximum(classes, 0), (images * objects,))
    maps = ops.reshape(maps, (images * objects, height * width))
    maxima = ops.segment_max(maps, rows, num_segments=images * num_classes)
    maxima = ops.maximum(maxima, 0.0)  # classes without objects: -inf
    maxima = ops.reshape(maxima, (images, num_classes, height, width))
    return ops.transpose(maxima, (0, 2, 3, 1))


def gaussian_radius(width, height, overlap=0.7):
    """Largest shift of both corners of a box at which the IoU is at least `overlap`.

    The minimum of three cases: the box is shifted along its diagonal, lies within the
    true one, or encloses it. Each is a quadratic equation, of which the smaller
    positive root is taken. Departs from CornerNet's and CenterNet's code, which divides
    by 2 instead of by twice the first coefficient, and so has too large radii in the
    last two cases.

    Args:
        width, height: of the true box, float [...].
        overlap: IoU in 0..1, exclusive.

    Returns:
        float32 [...], in the unit of `width` and `height`.

    Example:
        >>> round(float(gaussian_radius(10.0, 10.0, overlap=0.5)), 2)
        1.46

    Reference: Law and Deng, 2018, https://arxiv.org/abs/1808.01244
    """
    width, height = ops.cast(width, "float32"), ops.cast(height, "float32")
    total, product = width + height, width * height

    # Of a r^2 - b r + c = 0, without a difference of nearly equal numbers.
    def root(a, b, c):
        spread = ops.sqrt(ops.maximum(ops.square(b) - 4 * a * c, 0.0))
        return 2 * c / ops.maximum(b + spread, 1e-9)

    moved = root(1.0, total, product * (1 - overlap) / (1 + overlap))
    within = root(4.0, 2 * total, product * (1 - overlap))
    # 4 o r^2 + 2 o (w + h) r - (1 - o) w h = 0
    spread = ops.square(overlap * total) + 4 * overlap * (1 - overlap) * product
    around = (1 - overlap) * product
    around = around / ops.maximum(overlap * total + ops.sqrt(spread), 1e-9)
    return ops.minimum(moved, ops.minimum(within, around))
