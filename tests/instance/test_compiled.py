"""Everything again under XLA, with a batch of unknown size, and in half precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg.instance import boxes, matching, nms, pasting, roi_align
from kerasseg.instance.gather import gather

NUM = 12


def geometry(features, rois, scores, classes):
    """One pass over all functions of tensors."""
    coarse = features[:, ::2, ::2]
    pooled = roi_align.multilevel_roi_align(
        [features, coarse], rois, 2, strides=[2, 4], canonical_size=8, canonical_level=2
    )
    table = boxes.iou(rois[:, :, None], rois[:, None, :4])
    objects, labels = matching.match(table, low=0.3, high=0.5, rescue="assign")
    indices, weights = matching.sample(labels, 6, positive_fraction=0.5, seed=1)
    drawn = gather(labels, indices)  # XLA draws other numbers, with the same labels
    kept = nms.nms(rois, scores, classes=classes, max_output=5)
    fast = nms.nms(rois, scores, max_output=20, score_threshold=0.2, kind="fast")
    masks = pasting.paste_masks(pooled[..., 0], rois, (9, 10), stride=2)
    decoded = boxes.decode(boxes.encode(rois, rois[:, ::-1]), rois)
    values = [boxes.giou(rois, rois[:, ::-1]), decoded, boxes.clip(rois, (9, 10))]
    ties = matching.match(table, low=0.2, high=0.9, rescue="ties")
    return [
        pooled,
        objects,
        labels,
        drawn,
        weights,
        kept,
        fast,
        masks,
        *values,
        *ties,
    ]


def inputs(rng, images, dtype="float32"):
    corners = rng.uniform(-4, 10, (images, NUM, 2))
    rois = np.concatenate([corners, corners + rng.uniform(0, 12, corners.shape)], -1)
    return (
        tf.cast(rng.normal(size=(images, 8, 6, 3)), dtype),
        tf.constant(rois, "float32"),
        tf.constant(rng.random((images, NUM)), "float32"),
        tf.constant(rng.integers(0, 2, (images, NUM)), "int32"),
    )


@pytest.mark.slow
def test_compiled_equals_eager_for_any_batch(rng):
    specs = [tf.TensorSpec([None, *x.shape[1:]], x.dtype) for x in inputs(rng, 1)]
    compiled = tf.function(geometry, input_signature=specs, jit_compile=True)
    for images in (3, 2):
        batch = inputs(rng, images)
        for found, expected in zip(compiled(*batch), geometry(*batch)):
            assert found.dtype == expected.dtype
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_traced_gradients_know_their_shape(rng):
    batch = inputs(rng, 2)

    @tf.function(input_signature=[tf.TensorSpec([None, 8, 6, 3])])
    def gradient(features):  # a sparse one of unknown shape would warn
        with tf.GradientTape() as tape:
            tape.watch(features)
            pooled = roi_align.roi_align(features, batch[1], 2, spatial_scale=0.5)
            loss = tf.reduce_sum(pooled)
        return tape.gradient(loss, features)

    found = gradient(batch[0])
    # What the points read adds up to at most one a bin.
    assert 0 < float(tf.reduce_max(tf.reduce_sum(found, (1, 2)))) <= NUM * 4 + 1e-3


def test_half_precision_policies_leave_geometry_in_float32(rng):
    before = keras.config.dtype_policy()
    expected = geometry(*inputs(np.random.default_rng(0), 2))
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        found = geometry(*inputs(np.random.default_rng(0), 2, "bfloat16"))
    finally:
        keras.config.set_dtype_policy(before)
    assert found[0].dtype == "bfloat16"
    for index, (x, y) in enumerate(zip(found, expected)):
        rough = index in (0, 7)  # values of the features, and masks made of them
        tolerance = 0.03 if rough else 1e-6
        np.testing.assert_allclose(tf.cast(x, y.dtype), y, atol=tolerance)
