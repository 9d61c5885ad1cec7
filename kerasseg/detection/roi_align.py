"""ROIAlign: features of a fixed size from boxes of any size.

The rule is that of detectron's C++ code, border cases included. A box is divided into
bins, in each bin `sampling_ratio` x `sampling_ratio` points are sampled by bilinear
interpolation, and their values are averaged. A point up to one pixel outside of the
features takes the value of the border, one farther out 0. detectron can choose the
number of points by the size of the box; here it is fixed, so that shapes are static.

Gradients flow into the features, none into the boxes. Features are read in their own
dtype and summed in float32.
"""

import itertools
import numbers
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from kerasseg.detection import boxes as geometry
from kerasseg.detection.gather import gather


def roi_align(
    features, rois, output_size, *, spatial_scale=1.0, sampling_ratio=2, aligned=True
):
    """ROIAlign on one feature map.

    Args:
        features: float [N, H, W, C].
        rois: boxes [N, R, 4] in pixels of the image.
        output_size: (height, width) of the result, or one int for both.
        spatial_scale: pixels of the features per pixel of the image, 1 / stride.
        sampling_ratio: sampling points along each side of a bin.
        aligned: True: pixel centres are at i + 0.5, in the image and in the features.
            False is half a pixel off and enlarges boxes to at least one feature pixel,
            as the first detectors were trained.

    Returns:
        [N, R, height, width, C], the dtype of the features. All points of an empty box
        have one position.

    Raises:
        ValueError: if `sampling_ratio` is below 1, or the size of the features unknown.

    Example:
        >>> features = np.arange(16.0).reshape(1, 4, 4, 1)
        >>> pooled = roi_align(features, np.array([[[0, 0, 4, 4]]]), 2)
        >>> ops.convert_to_numpy(pooled)[0, 0, ..., 0].tolist()
        [[2.5, 4.5], [10.5, 12.5]]

    Reference: He et al., 2017, https://arxiv.org/abs/1703.06870
    """
    grid = _bins(output_size, sampling_ratio, aligned)
    _, height, width, _ = features.shape
    feature_map = _FeatureMap(0, height, width, spatial_scale)
    return _pool(_flatten(features), rois, feature_map, grid)


def multilevel_roi_align(
    features,
    rois,
    output_size,
    *,
    strides,
    sampling_ratio=2,
    aligned=True,
    canonical_size=224,
    canonical_level=4,
):
    """ROIAlign on a feature pyramid, each box on the level of its size.

    A box of area s^2 is pooled from level floor(canonical_level + log2(s /
    canonical_size)), clipped to the levels of the pyramid; level l has stride 2^l.

    Args:
        features: one float [N, H, W, C] per level, fine to coarse, of the same C.
        rois, output_size, sampling_ratio, aligned: as in `roi_align`.
        strides: pixels of the image per pixel of the features of each level: 4, 8,
            16, 32 are levels 2 to 5.
        canonical_size: side of a box that is pooled from `canonical_level`, in pixels;
            224 suits images of about 800 pixels: scale it with the image size.
        canonical_level: level of boxes of `canonical_size`.

    Returns:
        [N, R, height, width, C], the dtype of the features.

    Raises:
        ValueError: if the strides are not consecutive powers of two, one per level,
            `sampling_ratio` is below 1, or the size of the features unknown.

    Reference: Lin et al., 2016, equation 1, https://arxiv.org/abs/1612.03144
    """
    levels = [int(stride).bit_length() - 1 for stride in strides]
    consecutive = all(b - a == 1 for a, b in itertools.pairwise(levels))
    consecutive = consecutive and levels and 2 ** levels[0] == strides[0]
    if len(features) != len(strides) or not consecutive:
        raise ValueError(
            "`strides` must be consecutive powers of two, one per level. "
            f"Received: {len(features)} levels, strides={strides}."
        )
    grid = _bins(output_size, sampling_ratio, aligned)
    flat = [_flatten(level) for level in features]
    starts = np.cumsum([0] + [level.shape[1] for level in flat[:-1]])
    index = assign_levels(rois, levels, canonical_size, canonical_level)

    def pick(values, dtype):
        return ops.take(ops.convert_to_tensor(values, dtype), index, axis=0)

    feature_map = _FeatureMap(
        pick(starts, "int32"),
        pick([level.shape[1] for level in features], "int32"),
        pick([level.shape[2] for level in features], "int32"),
        pick([1 / stride for stride in strides], "float32"),
    )
    return _pool(ops.concatenate(flat, axis=1), rois, feature_map, grid)


def crop_masks(masks, objects, rois, size):
    """Crop objects' masks to boxes and resize them: targets of a mask head.

    Args:
        masks: of all objects, [N, G, H, W] of 0..1.
        objects: int [N, R], the object of each box.
        rois: boxes [N, R, 4] in pixels of the masks.
        size: (height, width) of the result, or one int for both.

    Returns:
        float32 [N, R, height, width] of 0 and 1: ROIAlign, thresholded at one half.

    Reference: He et al., 2017, https://arxiv.org/abs/1703.06870
    """
    _, num, height, width = masks.shape
    # The masks of an image one after another, like the levels of a pyramid.
    flat = ops.reshape(ops.cast(masks, "float32"), (-1, num * height * width, 1))
    start = ops.cast(objects, "int32") * (height * width)
    feature_map = _FeatureMap(start, height, width, 1.0)
    pooled = _pool(flat, rois, feature_map, _bins(size, 2, True))
    # As detectron2 does: the target is a mask again, not shares of covered pixels.
    return ops.cast(pooled[..., 0] >= 0.5, "float32")


def assign_levels(rois, levels, canonical_size=224, canonical_level=4):
    """Pyramid level of each box, as an index into `levels`.

    Args:
        rois: boxes [..., 4].
        levels: consecutive ints, such as [2, 3, 4, 5].
        canonical_size, canonical_level: as in `multilevel_roi_align`.

    Returns:
        int32 [...]; 0 for empty boxes.

    Example:
        >>> rois = np.array([[0.0, 0, 224, 224], [0, 0, 223, 223], [0, 0, 0, 0]])
        >>> ops.convert_to_numpy(assign_levels(rois, [2, 3, 4, 5])).tolist()
        [2, 1, 0]
    """
    area = geometry.area(rois)
    # floor(log2(s)) >= k exactly if s >= 2^k: no logarithm, whose rounding could send
    # a box of just the canonical size one level down.
    bounds = [canonical_size * 2.0 ** (k - canonical_level) for k in levels[1:]]
    return sum(
        (ops.cast(area >= bound**2, "int32") for bound in bounds),
        ops.zeros_like(area, dtype="int32"),
    )


class _Bins(NamedTuple):
    """Number of bins, and sampling points per side of a bin; see `roi_align`."""

    height: int
    width: int
    ratio: int
    aligned: bool


class _FeatureMap(NamedTuple):
    """Feature map of each box: numbers, or tensors [N, R] for a pyramid."""

    start: Any  # index of its first row in the flattened pyramid
    height: Any
    width: Any
    scale: Any


def _bins(output_size, ratio, aligned):
    if ratio < 1:
        raise ValueError(
            "`sampling_ratio` must be 1 or more (a fixed number of points). "
            f"Received: sampling_ratio={ratio}."
        )
    one_side = isinstance(output_size, numbers.Integral)
    size = (output_size,) * 2 if one_side else output_size
    return _Bins(*size, ratio, aligned)


def _flatten(features):
    """Features [N, H, W, C] as [N, H * W, C]."""
    _, height, width, channels = features.shape
    if None in (height, width, channels):
        raise ValueError(
            "`features` must be [N, H, W, C] of known H, W and C. "
            f"Received: shape={tuple(features.shape)}."
        )
    return ops.reshape(features, (-1, height * width, channels))


def _pool(flat, rois, feature_map, grid):
    """Average of the sampling points of each bin, from features [N, P, C]."""
    # No published detector trains boxes through the pooling; it would cost a second
    # pass.
    rois = ops.stop_gradient(ops.cast(rois, "float32"))
    scale, shift = feature_map.scale, 0.5 if grid.aligned else 0.0
    x1, y1, x2, y2 = (rois[..., i] * scale - shift for i in range(4))
    width, height = x2 - x1, y2 - y1
    if not grid.aligned:
        # Half a pixel off and at least one wide: the older rule, of Caffe2's ROIAlign.
        width, height = ops.maximum(width, 1.0), ops.maximum(height, 1.0)
    rows = _sampling_points(
        y1, height / grid.height, grid.height, grid.ratio, feature_map.height
    )
    columns = _sampling_points(
        x1, width / grid.width, grid.width, grid.ratio, feature_map.width
    )
    # One sampling point of every bin and one of its four neighbours at a time: the
    # largest tensor has the size of the result, not 4 * ratio^2 times as much.
    total = 0.0
    for row, row_weight in rows:
        start = ops.expand_dims(
            row * _expand(feature_map.width) + _expand(feature_map.start), -1
        )
        for column, column_weight in columns:
            # [N, R, height, width], as are the weights.
            index = _sequenced(total, start + ops.expand_dims(column, -2))
            weight = ops.expand_dims(row_weight, -1) * ops.expand_dims(
                column_weight, -2
            )
            values = ops.cast(gather(flat, index), "float32")
            total = total + values * ops.expand_dims(weight, -1)
    return ops.cast(total, flat.dtype)


def _sequenced(total, index):
    """`index`, available only once `total` is computed.

    Otherwise a TensorFlow graph gathers all neighbours at once and holds all of them.
    """
    if keras.backend.backend() != "tensorflow" or isinstance(total, float):
        return index
    import tensorflow as tf

    with tf.control_dependencies([total]):
        return tf.identity(index)


def _sampling_points(start, bin_length, num_bins, ratio, size):
    """Neighbours of sampling points along an axis: pairs (index, weight) [N, R, bins].

    The weights of all pairs of one bin sum to 1, less the fraction of points outside.
    """
    size = _expand(size)
    last = ops.cast(size, "float32") - 1.0
    bins = ops.arange(num_bins, dtype="float32")
    pairs = []
    for i in range(ratio):
        position = bins + (i + 0.5) / ratio
        at = _expand(start) + position * _expand(bin_length)
        # A pixel beyond the border still counts, with the border's value (Caffe2's
        # rule).
        inside = ops.logical_and(at >= -1.0, at <= last + 1.0)
        # NaN and infinities count as outside.
        at = ops.clip(ops.where(inside, at, 0.0), 0.0, last)
        low = ops.floor(at)
        far = at - low
        share = ops.where(inside, 1.0 / ratio, 0.0)
        low = ops.cast(low, "int32")
        high = ops.minimum(low + 1, size - 1)
        pairs += [(low, (1.0 - far) * share), (high, far * share)]
    return pairs


def _expand(x):
    """Tensor [N, R] with a last axis of 1; numbers stay."""
    return ops.expand_dims(x, -1) if hasattr(x, "shape") else x
