"""Losses of instance heads against loops in numpy."""

import numpy as np
import pytest
import tensorflow as tf

from kerasseg.detection import losses
from kerasseg.detection.targets import AnchorTargets, CenterTargets


def binary(truth, logit):
    p = 1 / (1 + np.exp(-np.float64(logit)))
    return -np.log(p if truth else 1 - p)


def categorical(index, logits):
    e = np.exp(np.float64(logits))
    return -np.log(e[index] / e.sum())


def smooth(error, beta=1.0):
    error = abs(error)
    return np.where(error < beta, error**2 / (2 * beta), error - beta / 2).sum()


def targets(rng, num_classes=3):
    """Two images of eight anchors; the second has no positive one."""
    labels = np.array([[1, 0, -1, 0, 1, 0, 0, 0], [0, 0, -1, 0, 0, 0, 0, 0]])
    ids = np.where(labels == 1, rng.integers(1, num_classes + 1, labels.shape), 0)
    deltas = rng.normal(size=(2, 8, 4)).astype("float32")
    return AnchorTargets(labels, np.zeros_like(labels), ids, deltas)


def test_proposals_are_scored_where_they_were_sampled(rng):
    truth = targets(rng)
    logits, deltas = rng.normal(size=(2, 8)), rng.normal(size=(2, 8, 4))
    indices, weights = (
        np.array([[4, 1, 6], [3, 0, 0]]),
        np.array([[1, 1, 1], [1, 0, 0]]),
    )
    found = losses.proposal_losses(logits, deltas, truth, (indices, weights))
    sampled = [(0, 4), (0, 1), (0, 6), (1, 3)]
    entropy = np.mean([binary(truth.labels[at] == 1, logits[at]) for at in sampled])
    errors = np.abs(deltas[0, 4] - truth.deltas[0, 4]).sum() / 4
    np.testing.assert_allclose(found, [entropy, errors], rtol=1e-5)


def test_boxes_of_the_true_class_are_refined(rng):
    truth = targets(rng)
    logits, deltas = rng.normal(size=(2, 8, 4)), rng.normal(size=(2, 8, 3, 4))
    weights = np.array([[1, 1, 0, 1, 1, 1, 0, 0], [1] * 2 + [0] * 6])
    found = losses.box_losses(logits, deltas, truth, weights, beta=0.5)
    counted = [at for at in np.ndindex(2, 8) if weights[at]]
    entropy = np.mean([categorical(truth.classes[at], logits[at]) for at in counted])
    errors = 0
    for at in [(0, 0), (0, 4)]:
        own = deltas[at][truth.classes[at] - 1]
        errors += smooth(own - truth.deltas[at], 0.5) / len(counted)
    np.testing.assert_allclose(found, [entropy, errors], rtol=1e-5)


def test_masks_learn_the_channel_of_their_class(rng):
    logits, masks = rng.normal(size=(1, 3, 2, 4, 2)), rng.random((1, 3, 2, 4)) > 0.5
    classes, weights = np.array([[2, 0, 1]]), np.array([[1, 1, 1]])
    found = losses.mask_loss(logits, masks, classes, weights)
    expected = [
        np.mean(
            [binary(masks[0, i][at], logits[0, i][at][c]) for at in np.ndindex(2, 4)]
        )
        for i, c in [(0, 1), (2, 0)]
    ]
    np.testing.assert_allclose(found, np.mean(expected), rtol=1e-5)


def test_only_the_hardest_negatives_count(rng):
    truth = targets(rng)
    logits, deltas = rng.normal(size=(2, 8, 4)), rng.normal(size=(2, 8, 4))
    found = losses.multibox_losses(logits, deltas, truth, negatives_per_positive=2)
    positive, negative = [0, 4], [1, 3, 5, 6, 7]
    hardest = np.sort([categorical(0, logits[0, i]) for i in negative])[-4:]
    own = [categorical(truth.classes[0, i], logits[0, i]) for i in positive]
    errors = [smooth(deltas[0, i] - truth.deltas[0, i]) for i in positive]
    expected = [(sum(hardest) + sum(own)) / 2, sum(errors) / 2]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_prototypes_are_compared_within_the_box(rng):
    prototypes, masks = rng.normal(size=(1, 4, 5, 3)), rng.random((1, 3, 4, 5)) > 0.5
    coefficients = rng.normal(size=(1, 3, 3))
    # At stride 2: columns 1 and 2 of rows 0 to 3; a pixel; one that does not count.
    boxes = np.array([[[2, 0, 6, 8], [6.5, 2.5, 8, 4], [0, 0, 9, 9]]])
    weights = np.array([[1, 1, 0]])
    found = losses.prototype_loss(
        prototypes, coefficients, masks, boxes, weights, stride=2
    )
    expected = []
    for i, inside in enumerate([np.s_[:, 1:3], np.s_[1:2, 3:4]]):
        logits = (prototypes[0] @ coefficients[0, i])[inside].ravel()
        truth = masks[0, i][inside].ravel()
        expected.append(np.mean([binary(*pair) for pair in zip(truth, logits)]))
    np.testing.assert_allclose(found, np.mean(expected), rtol=1e-5)


def test_pixels_belong_to_all_classes_that_cover_them(rng):
    logits, classes = rng.normal(size=(1, 2, 2, 3)), np.array([[0, 2, 2, -1]])
    masks = np.array([[[[1, 1], [0, 0]], [[1, 0], [0, 0]], [[1, 0], [1, 0]]]])
    masks = np.concatenate([masks, np.ones([1, 1, 2, 2])], 1)  # padding
    truth = np.zeros([2, 2, 3])
    truth[0, :, 0] = truth[:, 0, 2] = 1
    terms = [binary(truth[at], logits[0][at]) for at in np.ndindex(2, 2, 3)]
    found = losses.semantic_loss(logits, masks, classes)
    np.testing.assert_allclose(found, sum(terms) / 4, rtol=1e-5)


def test_heatmaps_follow_the_published_focal_loss(rng):
    logits, heatmap = rng.normal(size=(2, 3, 4, 2)), rng.random((2, 3, 4, 2))
    heatmap[0, 1, 2, 0] = heatmap[1, 0, 0, 1] = 1
    expected = 0
    for x, y in zip(logits.ravel(), heatmap.ravel()):
        p = 1 / (1 + np.exp(-x))
        if y == 1:
            expected -= (1 - p) ** 2 * np.log(p) / 2
        else:
            expected -= (1 - y) ** 4 * p**2 * np.log(1 - p) / 2
    found = losses.heatmap_loss(logits, heatmap.astype("float32"))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_sizes_are_read_at_the_centres(rng):
    sizes, weights = rng.normal(size=(1, 3, 2)), np.array([[1, 1, 0]])
    truth = CenterTargets(None, np.array([[5, 2, 0]]), sizes, None, weights)
    predictions = rng.normal(size=(1, 2, 4, 2))
    errors = predictions[0, [1, 0], [1, 2]] - sizes[0, :2]
    found = losses.center_loss(predictions, truth.sizes, truth)
    np.testing.assert_allclose(found, np.abs(errors).sum() / 2, rtol=1e-5)


@pytest.mark.parametrize("value", [-1e4, 0.0, 1e4])
def test_losses_and_gradients_stay_finite_without_objects_and_at_extremes(rng, value):
    truth = targets(rng)
    empty = AnchorTargets(*(np.asarray(x)[1:] for x in truth))
    logits = tf.Variable(np.full([1, 8, 4], value, "float32"))
    masks, ones = np.ones([1, 8, 1, 2]), np.ones([1, 8])
    with tf.GradientTape() as tape:
        total = losses.heatmap_loss(
            logits[..., None], np.zeros([1, 8, 4, 1], "float32")
        )
        for found in (truth, empty):
            part = AnchorTargets(*(x[:1] for x in found))
            sampled = (np.arange(8)[None], ones)
            total += sum(losses.proposal_losses(logits[..., 0], logits, part, sampled))
            total += sum(losses.multibox_losses(logits, logits, part))
            boxes = tf.stack([logits] * 3, 2)
            total += sum(losses.box_losses(logits, boxes, part, ones))
            grid = tf.reshape(logits, [1, 8, 1, 2, 2])
            total += losses.mask_loss(grid, masks, part.classes, ones)
    assert np.isfinite(total)
    assert np.isfinite(tape.gradient(total, logits)).all()
