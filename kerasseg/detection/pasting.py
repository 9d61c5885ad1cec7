"""Masks on an image: those of boxes, and small ones pasted into boxes."""

from keras import ops


def paste_masks(masks, boxes, size, *, stride=1):
    """Masks at image size from masks that each fill a box.

    The pixel centres of a mask are spread evenly over its box, and between them values
    are interpolated bilinearly; outside of the box the mask counts as 0, so the value
    falls to one half at a border of the box where the mask has 1. This is the rule of
    detectron2 (`grid_sample` with `align_corners=False` and zeros outside). Two matrix
    products with hat functions do it: shapes are static, and gradients flow into masks
    and boxes. A box without area leaves an empty canvas.

    Args:
        masks: float [N, K, h, w], such as probabilities.
        boxes: [N, K, 4] in pixels of the image.
        size: (height, width) of the canvas.
        stride: pixels of the image per pixel of the canvas.

    Returns:
        float32 [N, K, height, width].

    Example:
        >>> box = np.array([[[1, 0, 3, 2]]])
        >>> canvas = paste_masks(np.ones([1, 1, 2, 2]), box, (2, 4))
        >>> ops.convert_to_numpy(canvas)[0, 0].tolist()
        [[0.0, 1.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0]]
    """
    masks, boxes = ops.cast(masks, "float32"), ops.cast(boxes, "float32")
    rows = _hats(boxes[..., 1], boxes[..., 3], masks.shape[2], size[0], stride)
    columns = _hats(boxes[..., 0], boxes[..., 2], masks.shape[3], size[1], stride)
    across = ops.matmul(masks, ops.swapaxes(columns, -1, -2))  # [N, K, h, width]
    return ops.matmul(rows, across)


def box_masks(boxes, size, *, stride=1):
    """Masks of the pixels whose centres lie in a box.

    Args:
        boxes: [N, K, 4] in pixels of the image.
        size: (height, width) of the masks.
        stride: pixels of the image per pixel of the masks.

    Returns:
        float32 [N, K, height, width] of 0 and 1.

    Example:
        >>> inside = box_masks(np.array([[[0.5, 0, 2.4, 2]]]), (1, 4))
        >>> ops.convert_to_numpy(inside).tolist()
        [[[[1.0, 1.0, 0.0, 0.0]]]]
    """
    boxes = ops.cast(boxes, "float32") / stride
    rows = _within(boxes[..., 1], boxes[..., 3], size[0])
    columns = _within(boxes[..., 0], boxes[..., 2], size[1])
    return ops.expand_dims(rows, -1) * ops.expand_dims(columns, -2)


def stretch_masks(masks, shares):
    """The upper left part of masks, stretched over the whole of them.

    Where an image fills only a part of what a model sees, the masks then span the
    image. Bilinear; beyond the outer pixel centres of the part the values go on.

    Args:
        masks: float [N, K, h, w].
        shares: [N, 2] in 0..1, of the rows and of the columns that the image fills.

    Returns:
        float32 [N, K, h, w].

    Example:
        >>> masks = np.array([[[[0.0, 1.0, 0.2, 0.2]]]])
        >>> stretched = stretch_masks(masks, np.array([[1.0, 0.5]]))
        >>> ops.convert_to_numpy(stretched).tolist()
        [[[[0.0, 0.25, 0.75, 1.0]]]]
    """
    masks, shares = ops.cast(masks, "float32"), ops.cast(shares, "float32")
    rows = _stretch(shares[:, 0], masks.shape[2])
    columns = _stretch(shares[:, 1], masks.shape[3])
    across = ops.matmul(masks, ops.swapaxes(columns, -1, -2))
    return ops.matmul(rows, across)


def _stretch(share, length):
    """Weight of each pixel at each stretched one: [N, 1, length, length]."""
    at = (ops.arange(length, dtype="float32") + 0.5) * share[:, None, None] - 0.5
    last = ops.maximum(share * length - 1.0, 0.0)[:, None, None]
    at = ops.expand_dims(ops.clip(at, 0.0, last), -1)  # [N, 1, length, 1]
    distance = ops.abs(at - ops.arange(length, dtype="float32"))
    return ops.maximum(1.0 - distance, 0.0)


def _within(start, end, length):
    """Whether pixel centres lie between the ends: float32 [N, K, length]."""
    centres = ops.arange(length, dtype="float32") + 0.5
    after = centres >= ops.expand_dims(start, -1)
    return ops.cast(
        ops.logical_and(after, centres < ops.expand_dims(end, -1)), "float32"
    )


def _hats(start, end, num, length, stride):
    """Weight of each of `num` mask pixels at each of `length` canvas pixels.

    Args:
        start, end: of the boxes along one axis, [N, K].

    Returns:
        float32 [N, K, length, num], 1 - distance in mask pixels, 0 from 1 on.
    """
    side = ops.expand_dims(end - start, -1)
    has_area = side > 0
    centres = (ops.arange(length, dtype="float32") + 0.5) * stride
    at = (centres - ops.expand_dims(start, -1)) / ops.where(has_area, side, 1.0)
    at = ops.where(has_area, at * num - 0.5, -2.0)  # in mask pixels, [N, K, length]
    distance = ops.expand_dims(at, -1) - ops.arange(num, dtype="float32")
    return ops.maximum(1.0 - ops.abs(distance), 0.0)
