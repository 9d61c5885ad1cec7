"""ROIAlign against published numbers and the rule written out point by point."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg.detection.roi_align import (
    assign_levels,
    crop_masks,
    multilevel_roi_align,
    roi_align,
)

# Boxes at stride 2: inside, over the upper left and the lower right border, empty,
# tiny, larger than everything, outside, and with ends before starts.
ROIS = [
    [3, 2, 13, 9],
    [-6, -4, 4, 5],
    [12, 8, 20, 15],
    [5, 5, 5, 5],
    [4.3, 3.2, 4.9, 3.4],
    [-20, -20, 40, 40],
    [30, 30, 40, 40],
    [9, 7, 3, 4],
]


def read(feature, y, x):
    """Value at a point of [H, W, C]: 0 from one pixel outside on, else bilinear."""
    height, width = feature.shape[:2]
    if not (-1 <= y <= height and -1 <= x <= width):
        return 0.0
    y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
    top, left = math.floor(y), math.floor(x)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    down, across = y - top, x - left
    upper = feature[top, left] * (1 - across) + feature[top, right] * across
    lower = feature[bottom, left] * (1 - across) + feature[bottom, right] * across
    return upper * (1 - down) + lower * down


def reference(feature, roi, size, scale, ratio, aligned):
    """Pooled features [h, w, C] of one box of one image [H, W, C], in float64."""
    shift = 0.5 if aligned else 0.0
    x1, y1, x2, y2 = (np.float64(corner) * scale - shift for corner in roi)
    width, height = x2 - x1, y2 - y1
    if not aligned:
        width, height = max(width, 1.0), max(height, 1.0)
    pooled = np.zeros([*size, feature.shape[-1]])
    for i, j, a, b in np.ndindex(*size, ratio, ratio):
        y = y1 + (i + (a + 0.5) / ratio) * height / size[0]
        x = x1 + (j + (b + 0.5) / ratio) * width / size[1]
        pooled[i, j] += read(feature, y, x) / ratio**2
    return pooled


@pytest.mark.parametrize(("aligned", "first"), [(False, 7.5), (True, 4.5)])
def test_detectrons_ramp_has_the_published_values(aligned, first):
    ramp = np.arange(25.0).reshape(1, 5, 5, 1)
    found = roi_align(
        ramp, np.array([[[1, 1, 3, 3]]]), 4, sampling_ratio=1, aligned=aligned
    )
    expected = first + 2.5 * np.arange(4)[:, None] + 0.5 * np.arange(4)
    np.testing.assert_allclose(found[0, 0, :, :, 0], expected, rtol=1e-6)


# torchvision 0.28's `_roi_align` at scale 1/2, 2 x 3 bins, ratio 2, of the boxes that
# lie within a picture of (7 i^2 + 3 i j + 5 j) mod 11; it has no rule for others.
TORCHVISION = {
    False: [
        [[5.160156, 6.110677, 4.253906], [4.861979, 6.326823, 5.141928]],
        [[5.25, 6.0, 6.75], [5.5, 6.635416, 7.083333]],
        [[5.63, 6.03, 6.375], [5.2825, 5.6325, 5.9825]],
    ],
    True: [
        [[4.298177, 6.859375, 4.006511], [3.808594, 6.984375, 4.746094]],
        [[6, 6, 6], [6, 6, 6]],
        [[2.4125, 2.15, 1.8875], [2.6175, 2.37, 2.1225]],
    ],
}


@pytest.mark.parametrize("aligned", [False, True])
def test_boxes_within_the_features_have_torchvisions_values(aligned):
    i, j = np.mgrid[:6, :8]
    features = ((7 * i * i + 3 * i * j + 5 * j) % 11).astype("float32")[None, ..., None]
    rois = np.array([[ROIS[0], ROIS[3], ROIS[4]]])
    found = roi_align(features, rois, (2, 3), spatial_scale=0.5, aligned=aligned)
    np.testing.assert_allclose(found[0, ..., 0], TORCHVISION[aligned], atol=2e-6)


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("ratio", [1, 2, 3])
def test_one_level_follows_detectrons_rule(rng, aligned, ratio):
    features = rng.normal(size=(2, 6, 8, 3)).astype("float32")
    rois = np.array([ROIS, rng.permutation(ROIS)])
    found = roi_align(
        features,
        rois,
        (2, 3),
        spatial_scale=0.5,
        sampling_ratio=ratio,
        aligned=aligned,
    )
    expected = [
        [reference(feature, roi, (2, 3), 0.5, ratio, aligned) for roi in image]
        for feature, image in zip(features, rois)
    ]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_boxes_are_read_from_the_level_of_their_size(rng):
    sizes, strides = [(16, 12), (8, 6), (4, 3)], [4, 8, 16]
    pyramid = [rng.normal(size=(2, *size, 3)).astype("float32") for size in sizes]
    # With canonical size 32 at level 3: sides below 32, from 32 on, and from 64 on.
    corners, sides = rng.uniform(-8, 48, (2, 20, 2)), rng.uniform(1, 90, (2, 20, 2))
    corners[:, :3], sides[:, :3] = [5, 7], [[31.99, 32], [32, 32], [64, 64]]
    rois = np.concatenate([corners, corners + sides], -1).astype("float32")
    found = multilevel_roi_align(
        pyramid, rois, 3, strides=strides, canonical_size=32, canonical_level=3
    )
    used = set()
    for image, box in np.ndindex(2, 20):
        width, height = (rois[image, box, 2:] - rois[image, box, :2]).astype("float64")
        level = math.floor(3 + math.log2(math.sqrt(width * height) / 32))
        level = min(max(level, 2), 4) - 2
        used.add(level)
        expected = reference(
            pyramid[level][image], rois[image, box], (3, 3), 1 / strides[level], 2, True
        )
        np.testing.assert_allclose(found[image, box], expected, atol=2e-5)
    assert used == {0, 1, 2}


def test_a_box_of_the_canonical_size_takes_the_canonical_level():
    side = 224 * 2.0 ** np.arange(-4, 4)
    rois = np.stack([0 * side, 0 * side, side, side], 1)
    found = assign_levels(rois, [2, 3, 4, 5])
    np.testing.assert_array_equal(found, [0, 0, 0, 1, 2, 3, 3, 3])
    found = assign_levels(rois - [0, 0, 0.01, 0.01], [2, 3, 4, 5])
    np.testing.assert_array_equal(found, [0, 0, 0, 0, 1, 2, 3, 3])


def test_gradients_are_those_of_the_rule(rng):
    features = tf.Variable(rng.normal(size=(1, 6, 8, 2)).astype("float32"))
    weights = rng.normal(size=(1, len(ROIS), 2, 3, 2)).astype("float32")
    rois = tf.Variable(np.array([ROIS], "float32"))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(weights * roi_align(features, rois, (2, 3)))
    gradient, none = tape.gradient(loss, [features, rois])
    assert none is None
    # Pooling is linear: a step in any direction is the gradient times the direction.
    for direction in rng.normal(size=(5, 6, 8, 2)):
        step = [reference(direction, roi, (2, 3), 1, 2, True) for roi in ROIS]
        expected = np.sum(weights[0] * step)
        np.testing.assert_allclose(np.sum(gradient[0] * direction), expected, rtol=1e-3)


def test_nan_boxes_read_zeros_and_half_precision_stays():
    features = tf.ones([1, 4, 4, 1], "bfloat16")
    rois = np.array([[[np.nan, 0, 2, 2], [0, 0, np.inf, 4], [0, 0, 4, 4]]])
    found = roi_align(features, rois, 2)
    assert found.dtype == "bfloat16"
    found = np.asarray(tf.cast(found, "float32"))
    assert np.isfinite(found).all()
    assert (found[0, 0] == 0).all()
    assert (found[0, 2] == 1).all()


def test_wrong_options_are_refused():
    features, rois = np.zeros([1, 2, 2, 1], "float32"), np.zeros([1, 1, 4])
    with pytest.raises(ValueError, match="Received: sampling_ratio=0"):
        roi_align(features, rois, 2, sampling_ratio=0)
    with pytest.raises(ValueError, match="Received: 2 levels, strides="):
        multilevel_roi_align([features] * 2, rois, 2, strides=[4, 16])
    with pytest.raises(ValueError, match=r"Received: shape=\(None, None, 5, 3\)"):
        roi_align(keras.KerasTensor((None, None, 5, 3)), rois, 2)


def test_masks_are_cut_out_of_the_object_of_the_box():
    masks = np.zeros([1, 2, 6, 8])
    masks[0, 0, 1:5, 1:7] = masks[0, 1, 3:, :4] = 1
    rois = np.array([[[2, 2, 6, 4], [0, 0, 8, 6], [0, 0, 8, 6]]])
    found = crop_masks(masks, np.array([[0, 1, 0]]), rois, (6, 8))
    np.testing.assert_array_equal(found[0, 0], np.ones([6, 8]))
    np.testing.assert_array_equal(found[0, 1:], masks[0, ::-1])
