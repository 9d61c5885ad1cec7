"""All modules of kerasseg.detection under XLA, at any batch size, in half precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg.detection import boxes, losses, matching, nms, pasting, roi_align, targets
from kerasseg.detection.gather import gather

NUM = 12


def geometry(features, rois, scores, classes):
    """One pass over all functions of tensors."""
    coarse = features[:, ::2, ::2]
    pooled = roi_align.multilevel_roi_align(
        [features, coarse], rois, 2, strides=[2, 4], canonical_size=8, canonical_level=2
    )
    table = boxes.iou(rois[:, :, None], rois[:, None, :4])
    objects, labels = matching.match(
        table, low_threshold=0.3, high_threshold=0.5, low_quality_matches="assign"
    )
    indices, weights = matching.sample(labels, 6, positive_fraction=0.5, seed=1)
    sampled = gather(
        labels, indices
    )  # XLA has other random numbers, which sample the same labels
    kept = nms.nms(rois, scores, classes=classes, max_output=5)
    fast = nms.nms(rois, scores, max_output=20, score_threshold=0.2, kind="fast")
    masks = pasting.paste_masks(pooled[..., 0], rois, (9, 10), stride=2)
    decoded = boxes.decode(boxes.encode(rois, rois[:, ::-1]), rois)
    values = [boxes.giou(rois, rois[:, ::-1]), decoded, boxes.clip(rois, (9, 10))]
    ties = matching.match(
        table, low_threshold=0.2, high_threshold=0.9, low_quality_matches="ties"
    )
    return [
        pooled,
        objects,
        labels,
        sampled,
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
    # The weights of the sampling points of a bin sum to at most one.
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


def training(features, rois, scores, classes):
    """Targets and losses, and a gradient; random sampling is left out."""
    boxes_of, ids = rois[:, :4], classes[:, :4]
    found = targets.anchor_targets(
        rois,
        boxes_of,
        ids,
        low_threshold=0.3,
        high_threshold=0.6,
        low_quality_matches="assign",
    )
    centers = targets.center_targets(boxes_of, ids, num_classes=3, size=(8, 6))
    with tf.GradientTape() as tape:
        tape.watch(features)
        pooled = roi_align.roi_align(features, rois, 4)
        logits = tf.reduce_mean(pooled, (2, 3))
        deltas = tf.concat([logits, scores[..., None]], -1)
        weights = tf.cast(found.classes > 0, "float32")
        square = masks_of(rois)
        cut = roi_align.crop_masks(square, found.objects, rois, 4)
        terms = [
            *losses.multibox_losses(logits, deltas, found),
            *losses.proposal_losses(
                scores, deltas, found, (found.objects, tf.ones_like(scores))
            ),
            losses.mask_loss(pooled[..., :2], cut, found.classes, weights),
            losses.prototype_loss(features, logits, square, rois, weights, stride=1),
            losses.semantic_loss(features, square[:, :4], ids),
            losses.heatmap_loss(features, centers.heatmap),
            losses.center_loss(features[..., :2], centers.sizes, centers),
        ]
        total = tf.add_n(terms)
    return [*found, *centers, *terms, cut, tape.gradient(total, features)]


def masks_of(rois):
    """Mask of 8 x 6 pixels of each roi."""
    full = tf.ones([*rois.shape[1:2], 2, 2])[None] * tf.ones_like(rois)[..., :1, None]
    return tf.cast(pasting.paste_masks(full, rois, (8, 6)) > 0.5, "float32")


@pytest.mark.slow
def test_compiled_training_equals_eager(rng):
    specs = [tf.TensorSpec([None, *x.shape[1:]], x.dtype) for x in inputs(rng, 1)]
    compiled = tf.function(training, input_signature=specs, jit_compile=True)
    batch = inputs(rng, 2)
    for found, expected in zip(compiled(*batch), training(*batch)):
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
