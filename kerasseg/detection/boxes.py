"""Boxes [..., 4] as float32 (x1, y1, x2, y2) in pixels, ends exclusive.

A side whose end lies before its start has length 0; results and gradients are finite
for all boxes. Functions of two sets of boxes are element-wise and broadcast; a new axis
gives a matrix of all pairs:

    >>> a = np.array([[0, 0, 2, 2], [0, 0, 4, 2]], "float32")
    >>> iou(a[:, None], a).shape[0]
    2
"""

import math

from keras import ops

# Decoded sides are at most 1000 / 16 = 62.5 times those of the anchor, which keeps
# exp() in range; the value of detectron's code, which all detectors took over.
MAX_LOG_SCALE = math.log(1000 / 16)
# Lower limit of the sides of anchors and boxes in pixels, so that no division or
# logarithm overflows.
MIN_SIDE = 1e-3


def area(boxes):
    """Areas of boxes [..., 4] in pixels: float32 [...].

    Example:
        >>> float(area(np.array([1.0, 1.0, 4.0, 3.0])))
        6.0
    """
    x1, y1, x2, y2 = _corners(boxes)
    return ops.maximum(x2 - x1, 0.0) * ops.maximum(y2 - y1, 0.0)


def iou(a, b):
    """Intersection over union (IoU) of boxes, element by element.

    Args:
        a, b: boxes [..., 4] that broadcast.

    Returns:
        float32 [...] in 0..1; 0 if both boxes are empty.

    Example:
        >>> two = np.array([[0.0, 0, 100, 100], [0, 0, 50, 50]])
        >>> ops.convert_to_numpy(iou(two[:, None], two)).tolist()
        [[1.0, 0.25], [0.25, 1.0]]
    """
    shared, union = _overlap(a, b)
    return shared / ops.maximum(union, 1e-9)  # two empty boxes: 0, not NaN


def giou(a, b):
    """Generalised IoU: IoU less the fraction of the enclosing box outside of the union.

    Args:
        a, b: boxes [..., 4] that broadcast.

    Returns:
        float32 [...] in -1..1; unlike the IoU it distinguishes near from far boxes.

    Example:
        >>> near, far = np.array([[2.0, 0, 3, 1], [9, 0, 10, 1]])
        >>> box = np.array([0.0, 0, 1, 1])
        >>> ops.convert_to_numpy(giou(box, np.stack([near, far]))).round(2).tolist()
        [-0.33000001311302185, -0.800000011920929]

    Reference: Rezatofighi et al., 2019, https://arxiv.org/abs/1902.09630
    """
    shared, union = _overlap(a, b)
    ax1, ay1, ax2, ay2 = _corners(a)
    bx1, by1, bx2, by2 = _corners(b)
    width = ops.maximum(ax2, bx2) - ops.minimum(ax1, bx1)
    height = ops.maximum(ay2, by2) - ops.minimum(ay1, by1)
    hull = ops.maximum(width, 0.0) * ops.maximum(height, 0.0)
    # Where ends lie before starts, the hull may be smaller than the union.
    empty = ops.maximum(hull - union, 0.0)
    return shared / ops.maximum(union, 1e-9) - empty / ops.maximum(hull, 1e-9)


def clip(boxes, size):
    """Clip boxes to the image.

    Args:
        boxes: [..., 4].
        size: (height, width) of the image.

    Returns:
        float32 [..., 4]; a box outside of the image becomes empty.

    Example:
        >>> ops.convert_to_numpy(clip(np.array([-1.0, 2, 9, 9]), (6, 8))).tolist()
        [0.0, 2.0, 8.0, 6.0]
    """
    height, width = size
    x1, y1, x2, y2 = _corners(boxes)
    xs = [ops.clip(x, 0.0, width) for x in (x1, x2)]
    ys = [ops.clip(y, 0.0, height) for y in (y1, y2)]
    return ops.stack([xs[0], ys[0], xs[1], ys[1]], axis=-1)


def encode(boxes, anchors, weights=(1.0, 1.0, 1.0, 1.0)):
    """Encode boxes as deltas to anchors, the regression targets of a detector.

    dx and dy are the offset of the centre in sides of the anchor, dw and dh the
    logarithms of the ratios of the sides, which are limited to 1/1000 pixel from below.

    Args:
        boxes, anchors: [..., 4] that broadcast.
        weights: factors of dx, dy, dw and dh: the inverse of their expected standard
            deviations.

    Returns:
        float32 [..., 4], (dx, dy, dw, dh).

    Example:
        >>> anchor, box = np.array([[0.0, 0, 10, 10], [5, 0, 15, 10]])
        >>> ops.convert_to_numpy(encode(box, anchor)).tolist()
        [0.5, 0.0, 0.0, 0.0]

    Reference: Girshick et al., 2014, appendix C, https://arxiv.org/abs/1311.2524
    """
    x, y, width, height = _centres(boxes)
    anchor_x, anchor_y, anchor_width, anchor_height = _centres(anchors)
    deltas = [
        (x - anchor_x) / anchor_width,
        (y - anchor_y) / anchor_height,
        ops.log(width / anchor_width),
        ops.log(height / anchor_height),
    ]
    deltas = [delta * weight for delta, weight in zip(deltas, weights)]
    return ops.stack(deltas, axis=-1)


def decode(deltas, anchors, weights=(1.0, 1.0, 1.0, 1.0)):
    """Decode deltas to boxes: the inverse of `encode`.

    The sides of a box are at most 1000 / 16 times those of its anchor.

    Args:
        deltas: [..., 4], (dx, dy, dw, dh).
        anchors: [..., 4] that broadcast with them.
        weights: as in `encode`.

    Returns:
        Boxes float32 [..., 4], not clipped to an image.

    Example:
        >>> anchor = np.array([0.0, 0, 10, 10])
        >>> ops.convert_to_numpy(decode(np.array([0.5, 0, 0, 0]), anchor)).tolist()
        [5.0, 0.0, 15.0, 10.0]
    """
    dx, dy, dw, dh = (d / weight for d, weight in zip(_corners(deltas), weights))
    x, y, width, height = _centres(anchors)
    x, y = x + dx * width, y + dy * height
    half_width = 0.5 * width * ops.exp(ops.minimum(dw, MAX_LOG_SCALE))
    half_height = 0.5 * height * ops.exp(ops.minimum(dh, MAX_LOG_SCALE))
    corners = [x - half_width, y - half_height, x + half_width, y + half_height]
    return ops.stack(corners, axis=-1)


def _corners(boxes):
    boxes = ops.cast(boxes, "float32")
    return [boxes[..., i] for i in range(4)]


def _centres(boxes):
    x1, y1, x2, y2 = _corners(boxes)
    width, height = ops.maximum(x2 - x1, MIN_SIDE), ops.maximum(y2 - y1, MIN_SIDE)
    return 0.5 * (x1 + x2), 0.5 * (y1 + y2), width, height


def _overlap(a, b):
    """Areas of the intersection and of the union."""
    ax1, ay1, ax2, ay2 = _corners(a)
    bx1, by1, bx2, by2 = _corners(b)
    width = ops.minimum(ax2, bx2) - ops.maximum(ax1, bx1)
    height = ops.minimum(ay2, by2) - ops.maximum(ay1, by1)
    shared = ops.maximum(width, 0.0) * ops.maximum(height, 0.0)
    return shared, area(a) + area(b) - shared
