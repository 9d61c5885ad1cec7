"""Steps common to all losses: reading labels, ignoring pixels, class weights."""

import math
from typing import Any, NamedTuple

from keras import ops


class Targets(NamedTuple):
    """Labels and logits of a batch, one row per pixel.

    `exclusive` (one class per pixel): labels int32 [N, P] and valid bool [N, P].
    Otherwise (every class on its own): labels float32 [N, P, K] of 0 and 1, and valid
    bool [N, P, K]. Labels are 0 where they are not valid. Logits float32 [N, P, K].
    """

    labels: Any
    valid: Any
    logits: Any
    exclusive: bool

    @property
    def num_classes(self):
        return self.logits.shape[-1]


def read_targets(labels, logits, ignore_label):
    """Check labels against logits and flatten both, see `Targets`.

    Raises:
        ValueError: if the shapes do not fit together.
    """
    if isinstance(logits, dict):
        raise ValueError(
            "A loss takes one tensor of logits. Give a model with several outputs one "
            f"loss each: loss={{'logits': ...}}. Received: outputs {sorted(logits)}."
        )
    logits = ops.cast(logits, "float32")
    labels = ops.convert_to_tensor(labels)
    binary = logits.shape[-1] == 1
    if binary and len(labels.shape) == len(logits.shape) - 1:
        labels = ops.expand_dims(labels, -1)
    exclusive = len(labels.shape) == len(logits.shape) - 1
    _check_shapes(tuple(labels.shape), tuple(logits.shape), exclusive)

    num_classes = logits.shape[-1]
    images, *size = ops.shape(logits)[:-1]
    # Not reshape(x, (images, -1)): a replica may get an empty batch, and then -1 has
    # no value.
    pixels = math.prod(size)
    # [N, P, K]
    logits = ops.reshape(logits, (images, pixels, num_classes))
    if exclusive:
        labels = ops.reshape(ops.cast(labels, "int32"), (images, pixels))
        valid = ops.logical_and(labels >= 0, labels < num_classes)
    else:
        labels = ops.reshape(ops.cast(labels, "float32"), (images, pixels, num_classes))
        valid = ops.logical_or(labels == 0, labels == 1)
    if ignore_label is not None:
        valid = ops.logical_and(valid, labels != ignore_label)
    labels = ops.where(valid, labels, ops.zeros_like(labels))
    return Targets(labels, valid, logits, exclusive)


def _check_shapes(labels, logits, exclusive):
    expected = logits[:-1] if exclusive else logits
    fits = len(labels) == len(expected) and all(
        a == b or a is None or b is None for a, b in zip(labels, expected)
    )
    if len(logits) < 3 or logits[-1] is None or not fits:
        raise ValueError(
            "Labels must be class ids [N, H, W], or 0 and 1 in [N, H, W, K] "
            "(multilabel), for logits [N, H, W, K] of the same size. "
            f"Received: labels {list(labels)}, logits {list(logits)}."
        )


def masked_mean(values, targets, weights=None):
    """Mean of values [N, P] or [N, P, K] over the valid ones of each image: [N].

    Weights multiply the values; the divisor stays the number of valid entries.
    """
    axes = tuple(range(1, len(values.shape)))
    if weights is not None:
        values = values * weights
    total = ops.sum(ops.where(targets.valid, values, 0.0), axis=axes)
    count = ops.sum(ops.cast(targets.valid, "float32"), axis=axes)
    return total / ops.maximum(count, 1.0)


def pixel_weights(class_weights, targets):
    """Weight of each entry of the labels, or None without class weights.

    A binary model has two classes, background and foreground, so two weights.
    """
    if class_weights is None:
        return None
    binary = targets.num_classes == 1
    check_count(class_weights, 2 if binary else targets.num_classes)
    weights = ops.convert_to_tensor(class_weights, "float32")
    if binary:
        return weights[0] + (weights[1] - weights[0]) * targets.labels
    if targets.exclusive:
        return ops.take(weights, targets.labels, axis=0)
    return weights  # [K], the last axis of the labels


def mean_of_classes(losses, present, class_weights):
    """Weighted mean of losses [N, K] over the classes present in each image: [N]."""
    weights = ops.cast(present, "float32")
    if class_weights is not None:
        check_count(class_weights, losses.shape[-1])
        weights = weights * ops.convert_to_tensor(class_weights, "float32")
    return ops.divide_no_nan(
        ops.sum(losses * weights, axis=-1), ops.sum(weights, axis=-1)
    )


def check_class_weights(class_weights):
    """Class weights as a tuple of floats, or None.

    Raises:
        ValueError: if a weight is negative or not a finite number.
    """
    if class_weights is None:
        return None
    weights = tuple(float(weight) for weight in class_weights)
    if not weights or not all(0 <= weight < math.inf for weight in weights):
        raise ValueError(
            "`class_weights` must be finite numbers >= 0, one per class. "
            f"Received: class_weights={class_weights}."
        )
    return weights


def check_count(class_weights, num_classes):
    """Raise a ValueError unless there is one weight per class."""
    if len(class_weights) != num_classes:
        raise ValueError(
            f"`class_weights` must hold {num_classes} numbers here, one per class. "
            f"Received: {len(class_weights)}, class_weights={class_weights}."
        )


def check_range(name, value, low, high):
    """Raise a ValueError unless low <= value <= high."""
    if not low <= value <= high:
        raise ValueError(
            f"`{name}` must lie in {low}..{high}. Received: {name}={value}."
        )
