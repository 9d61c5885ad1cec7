"""Multilabel scores and scores of single images, against numpy."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import metrics

MULTILABEL = ("MultilabelConfusionMatrix", "MultilabelDice", "MultilabelIoU")
IMAGES = ("ImageDice", "ImageIoU")


@pytest.fixture
def several(rng):
    """Labels of 3 classes with a fifth ignored, and logits; class 2 never occurs."""
    labels, logits = rng.integers(0, 2, (4, 6, 5, 3)), rng.normal(size=(4, 6, 5, 3))
    labels[..., 2], logits[..., 2] = 0, -1
    labels[rng.random(labels.shape) < 0.2] = 255
    return labels, logits.astype("float32")


def by_hand(labels, found, weights=1.0):
    weights = np.broadcast_to(weights, labels.shape[:3])[..., None] * (labels != 255)
    return np.array(
        [
            [
                [(weights * (labels == t) * (found == p))[..., k].sum() for p in (0, 1)]
                for t in (0, 1)
            ]
            for k in range(labels.shape[-1])
        ]
    )


def test_matrices_are_counted_class_by_class(several):
    labels, logits = several
    expected = by_hand(labels, logits > 0)
    found = metrics.multilabel_confusion_matrix(labels, logits > 0)
    np.testing.assert_array_equal(found, expected)
    matrix = metrics.MultilabelConfusionMatrix(3)
    matrix.update_state(labels[:1], logits[:1])
    matrix.update_state(labels[1:], logits[1:])
    np.testing.assert_array_equal(matrix.numpy(), expected)
    one = metrics.confusion_matrix(labels[..., 0], logits[..., 0] > 0, 2)
    np.testing.assert_array_equal(found[0], one)


@pytest.mark.parametrize("weighted", [None, (4,), (4, 6, 5)])
def test_scores_are_means_of_the_classes_that_occur(several, weighted, rng):
    labels, logits = several
    weights = None if weighted is None else rng.random(weighted)
    spread = 1.0 if weights is None else weights.reshape(4, *(weighted[1:] or (1, 1)))
    matrix = by_hand(labels, logits > 0, spread)[:2]
    hits, errors = matrix[:, 1, 1], matrix[:, 0, 1] + matrix[:, 1, 0]
    for metric, expected in (
        (metrics.MultilabelIoU(3), np.mean(hits / (hits + errors))),
        (metrics.MultilabelDice(3), np.mean(2 * hits / (2 * hits + errors))),
    ):
        metric.update_state(labels, logits, weights)
        assert float(metric.result()) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", [*MULTILABEL, *IMAGES])
def test_they_are_saved_compiled_and_known_to_callbacks(name, several, exclusive):
    labels, logits = several if name in MULTILABEL else exclusive
    metric = getattr(metrics, name)(3)
    saved = keras.saving.serialize_keras_object(metric)
    copy = keras.saving.deserialize_keras_object(saved)
    arguments = set(inspect.signature(type(metric).__init__).parameters) - {"self"}
    assert arguments == set(copy.get_config())
    assert getattr(metric, "_direction", "up") == "up"
    tf.function(copy.update_state, jit_compile=True)(tf.constant(labels), logits)
    metric.update_state(labels, logits)
    np.testing.assert_allclose(copy.result(), metric.result(), rtol=1e-6)


def test_class_ids_and_probabilities_are_refused(several):
    labels, logits = several
    metric = metrics.MultilabelIoU(3)
    with pytest.raises(ValueError, match=r"for class ids \[N, H, W\] take"):
        metric.update_state(labels[..., 0], logits)
    with pytest.raises(ValueError, match="without `activation"):
        metric.update_state(labels, keras.ops.sigmoid(logits))
    with pytest.raises(ValueError, match="must be 0 and 1"):
        metrics.multilabel_confusion_matrix(labels, logits)


@pytest.mark.parametrize("name", MULTILABEL)
def test_masks_of_0_and_255_and_probabilities_are_told(name, several):
    labels, logits = several
    metric = getattr(metrics, name)(3)
    with pytest.warns(UserWarning, match=r"labels = \(labels > 127\)"):
        metric.update_state((labels == 1) * 255, logits)
    with pytest.warns(UserWarning, match="as if they were probabilities"):
        metric.update_state(labels, 1 / (1 + np.exp(-logits)))
    with pytest.raises(ValueError, match="Received: outputs of sigmoid"):
        metric.update_state(labels, keras.ops.sigmoid(logits))
