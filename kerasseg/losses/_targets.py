"""Steps common to all losses: reading labels, ignoring pixels, class weights."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from keras import ops

from kerasseg.losses.checks import refuse_probabilities


class Targets(NamedTuple):
    """Labels and logits of a batch, one row per pixel.

    `exclusive` (one class per pixel): labels int32 [N, P] and valid bool [N, P].
    Otherwise (every class on its own): labels float32 [N, P, K] of 0 and 1, and valid
    bool [N, P, K]. Labels are 0 where they are not valid. Logits float32 [N, P, K].
    Weights of pixels are float32 [N, P], or [N, P, 1] if not exclusive; None for none.
    """

    labels: Any
    valid: Any
    logits: Any
    exclusive: bool
    weights: Any = None

    @property
    def num_classes(self):
        return self.logits.shape[-1]


def read_targets(labels, logits, ignore_label):
    """Check labels against logits and flatten both, see `Targets`.

    Args:
        labels: labels, or a pair of labels and weights of pixels [N, H, W].
        logits: [N, H, W, K].
        ignore_label: label that is left out, or None.

    Raises:
        ValueError: if the shapes do not fit together, or logits are probabilities.
    """
    if isinstance(logits, dict):
        raise ValueError(
            "A loss takes one tensor of logits. Give a model with several outputs one "
            f"loss each: loss={{'logits': ...}}. Received: outputs {sorted(logits)}."
        )
    refuse_probabilities(logits)
    labels, weights = labels if isinstance(labels, tuple) else (labels, None)
    logits = ops.cast(logits, "float32")
    labels = ops.convert_to_tensor(labels)
    binary = logits.shape[-1] == 1
    if binary and len(labels.shape) == len(logits.shape) - 1:
        labels = ops.expand_dims(labels, -1)
    elif not binary and _is_column(labels, logits):
        labels = ops.squeeze(labels, -1)
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
    if weights is not None:
        shape = (images, pixels) if exclusive else (images, pixels, 1)
        weights = ops.reshape(ops.cast(weights, "float32"), shape)
    return Targets(labels, valid, logits, exclusive, weights)


def _is_column(labels, logits):
    """Whether labels are class ids with a last axis of 1."""
    return len(labels.shape) == len(logits.shape) and labels.shape[-1] == 1


def _check_shapes(labels, logits, exclusive):
    expected = logits[:-1] if exclusive else logits
    fits = len(labels) == len(expected) and all(
        a == b or a is None or b is None for a, b in zip(labels, expected)
    )
    if len(logits) < 3 or logits[-1] is None or not fits:
        raise ValueError(
            "Labels must be class ids [N, H, W] or [N, H, W, 1], or 0 and 1 in "
            "[N, H, W, K] (multilabel), for logits [N, H, W, K] of the same size. "
            f"Received: labels {list(labels)}, logits {list(logits)}."
        )


def masked_mean(values, targets, class_weights=None, *, per_image=True, divisor=None):
    """Mean of values [N, P] or [N, P, K] over the valid ones: [N].

    Args:
        values: losses of entries.
        targets: `Targets`; weights of pixels multiply the values.
        class_weights: tuple, or None; multiplies the values likewise.
        per_image: False divides by the number of valid entries of an average image
            instead of its own, so that the mean of the result is that over all entries.
        divisor: "weights" divides by the sum of class weights instead of the number of
            valid entries.
    """
    axes = tuple(range(1, len(values.shape)))
    weights = class_weight_of_entries(class_weights, targets)
    valid = ops.cast(targets.valid, "float32")
    if weights is not None:
        values = values * weights
    if targets.weights is not None:
        values = values * targets.weights
    total = ops.sum(ops.where(targets.valid, values, 0.0), axis=axes)
    if divisor == "weights" and weights is not None:
        valid = valid * weights
    count = ops.sum(valid, axis=axes)
    if not per_image:
        count = ops.mean(count, keepdims=True)
    return ops.divide_no_nan(total, count)


def class_weight_of_entries(class_weights, targets):
    """Class weight of each entry of the labels, or None without class weights.

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

    Args:
        class_weights: one number per class in order, or a dict from every class id 0,
            1, ... to its number, as Keras' `class_weight`; the ids may be text, as in
            TOML.

    Raises:
        ValueError: if a weight is negative or no finite number, or a class is missing.
    """
    if class_weights is None:
        return None
    weights = class_weights
    if isinstance(weights, Mapping):
        weights = _in_order(weights)
    try:
        if isinstance(weights, (str, bytes, set, frozenset)):
            raise TypeError
        weights = tuple(float(weight) for weight in weights)
    except (TypeError, ValueError):
        weights = ()
    if not weights or not all(0 <= weight < math.inf for weight in weights):
        raise ValueError(
            "`class_weights` must be finite numbers >= 0, one per class. "
            f"Received: class_weights={class_weights}."
        )
    return weights


def _in_order(weights):
    """Values of a dict with keys 0, 1, 2, ... in that order."""
    try:
        by_id = {int(key): value for key, value in weights.items()}
        # 0.5 would become 0, and "1" beside 1 would be lost.
        whole = len(by_id) == len(weights)
        whole = whole and all(isinstance(k, str) or k == int(k) for k in weights)
    except (TypeError, ValueError):
        by_id, whole = {}, False
    if not whole or sorted(by_id) != list(range(len(by_id))):
        raise ValueError(
            "`class_weights` as a dict needs a number for every class id, 0 to K - 1: "
            "{0: 1.0, 1: 5.0}. "
            f"Received: class_weights={dict(weights)}."
        )
    return [by_id[key] for key in sorted(by_id)]


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
