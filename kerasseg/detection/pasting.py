"""Masks of boxes: pasting of small masks into boxes, and filled boxes."""

from keras import ops


def paste_masks(masks, boxes, size, *, stride=1):
    """Paste masks, each relative to its box, into full-size masks.

    The pixel centres of a mask are spread evenly over its box, with bilinear
    interpolation between them; outside of the box the mask is 0, so that the value
    falls to one half at a border of the box where the mask is 1. This is the rule of
    detectron2 (`grid_sample` with `align_corners=False` and zero padding), here as two
    matrix products with hat functions: shapes are static, and gradients flow into masks
    and boxes. A box without area gives an empty mask.

    Args:
        masks: float [N, K, h, w], such as probabilities.
        boxes: [N, K, 4] in pixels of the image.
        size: (height, width) of the result.
        stride: pixels of the image per pixel of the result.

    Returns:
        float32 [N, K, height, width].

    Example:
        >>> box = np.array([[[1, 0, 3, 2]]])
        >>> pasted = paste_masks(np.ones([1, 1, 2, 2]), box, (2, 4))
        >>> ops.convert_to_numpy(pasted)[0, 0].tolist()
        [[0.0, 1.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0]]
    """
    masks, boxes = ops.cast(masks, "float32"), ops.cast(boxes, "float32")
    rows = _hat_weights(boxes[..., 1], boxes[..., 3], masks.shape[2], size[0], stride)
    columns = _hat_weights(
        boxes[..., 0], boxes[..., 2], masks.shape[3], size[1], stride
    )
    across = ops.matmul(masks, ops.swapaxes(columns, -1, -2))  # [N, K, h, width]
    return ops.matmul(rows, across)


def box_masks(boxes, size, *, stride=1):
    """Masks of boxes: 1 at pixels whose centres lie in the box.

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
    """Stretch the upper left part of masks over their whole size.

    For images that are padded to the input size of a model: the stretched masks span
    the image without the padding. Bilinear; values are constant beyond the outermost
    pixel centres of the part.

    Args:
        masks: float [N, K, h, w].
        shares: [N, 2], fractions 0..1 of the rows and of the columns that the image
            fills.

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
    """Interpolation weights of pixels (last axis): [N, 1, length, length]."""
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


def _hat_weights(start, end, num, length, stride):
    """Interpolation weights of `num` mask pixels at `length` pixels of the result.

    Args:
        start, end: of the boxes along one axis, [N, K].

    Returns:
        float32 [N, K, length, num], 1 - distance in mask pixels, at least 0.
    """
    side = ops.expand_dims(end - start, -1)
    has_area = side > 0
    centres = (ops.arange(length, dtype="float32") + 0.5) * stride
    at = (centres - ops.expand_dims(start, -1)) / ops.where(has_area, side, 1.0)
    # In mask pixels, [N, K, length]; -2 is farther than one from all of them.
    at = ops.where(has_area, at * num - 0.5, -2.0)
    distance = ops.expand_dims(at, -1) - ops.arange(num, dtype="float32")
    return ops.maximum(1.0 - ops.abs(distance), 0.0)
