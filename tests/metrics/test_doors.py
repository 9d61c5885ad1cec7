"""Label arrays of few bits, and with a last axis of 1, at every door."""

import numpy as np
import pytest

from kerasseg import metrics
from kerasseg.metrics import instances, panoptic, superpixel

CLASSES = 60


def maps(rng):
    """Two maps of 60 ids: products of 60 and an id overflow 8 bits."""
    true = np.repeat(np.repeat(np.arange(CLASSES).reshape(6, 10), 4, 0), 4, 1)
    found = np.where(rng.random(true.shape) < 0.8, true, np.roll(true, 3, 1))
    return true, found


def segments(true, found):
    classes = np.arange(CLASSES - 1) % 3
    return panoptic.panoptic_counts((true, classes), (found, classes), 3)


DOORS = {
    "confusion_matrix": lambda a, b: metrics.confusion_matrix(a, b, CLASSES),
    "boundary_counts": lambda a, b: metrics.boundary_counts(a, b, CLASSES),
    "instance_counts": instances.instance_counts,
    "quality_counts": instances.quality_counts,
    "aggregated_jaccard": instances.aggregated_jaccard,
    "panoptic_counts": segments,
    "boundary_recall": superpixel.boundary_recall,
    "undersegmentation_error": superpixel.undersegmentation_error,
    "achievable_accuracy": superpixel.achievable_accuracy,
    "compactness": lambda a, b: superpixel.compactness(b),
}


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "uint32"])
@pytest.mark.parametrize("name", DOORS)
def test_few_bits_give_what_many_give(name, dtype, rng):
    true, found = maps(rng)
    expected = DOORS[name](true, found)
    narrow = DOORS[name](true.astype(dtype), found.astype(dtype))
    mixed = DOORS[name](true.astype(dtype), found)
    np.testing.assert_array_equal(narrow, expected)
    np.testing.assert_array_equal(mixed, expected)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16"])
def test_streaming_metrics_widen_too(dtype, rng):
    true, found = maps(rng)
    logits = np.eye(CLASSES, dtype="float32")[found][None] * 9
    matrix = metrics.ConfusionMatrix(CLASSES)
    matrix.update_state(true[None].astype(dtype), logits)
    expected = metrics.confusion_matrix(true, found, CLASSES)
    np.testing.assert_array_equal(matrix.numpy(), expected)


def test_boundaries_take_a_last_axis_of_one_and_whole_numbers(rng):
    true, found = maps(rng)
    expected = metrics.boundary_counts(true, found, CLASSES)
    columns = true[..., None], found[..., None].astype("float32")
    np.testing.assert_array_equal(metrics.boundary_counts(*columns, CLASSES), expected)
    with pytest.raises(ValueError, match="class ids, whole numbers"):
        metrics.boundary_counts(true, found + 0.5, CLASSES)
    with pytest.raises(ValueError, match=r"`counts` must be \[K, 4\]"):
        metrics.boundary_f(true)
