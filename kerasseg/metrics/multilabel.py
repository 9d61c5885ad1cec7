"""Scores of labels in which a pixel may have several classes, or none."""

import warnings

import keras
import numpy as np
from keras import ops

from kerasseg.losses.checks import (
    check_ids,
    check_logits,
    known,
    refuse_probabilities,
)
from kerasseg.losses.weighted import split_weights
from kerasseg.metrics import scores
from kerasseg.metrics._counts import Counts


def multilabel_confusion_matrix(labels, predictions, *, ignore_label=255):
    """Confusion counts of every class on its own.

    Args:
        labels: 0 and 1, [..., K]; the ignore label does not count.
        predictions: 0 and 1, or bool, [..., K].
        ignore_label: None if there is none.

    Returns:
        int64 [K, 2, 2]: of each class, rows are labels, columns are predictions, so
        that `iou_per_class(matrix[k])[1]` is the IoU of class k.

    Raises:
        ValueError: if the shapes differ, or there are other numbers.

    Example:
        >>> multilabel_confusion_matrix([[0, 1], [1, 1]], [[0, 1], [0, 1]]).tolist()
        [[[1, 0], [1, 0]], [[0, 0], [0, 2]]]
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.shape != predictions.shape or not labels.ndim:
        raise ValueError(
            "`labels` and `predictions` must both be [..., K]. "
            f"Received: {labels.shape} and {predictions.shape}."
        )
    valid = np.ones(labels.shape, bool)
    if ignore_label is not None:
        valid = labels != ignore_label
    for name, values in (("labels", labels[valid]), ("predictions", predictions)):
        if not np.isin(values, (0, 1)).all():
            raise ValueError(
                f"`{name}` must be 0 and 1; logits become so by `> 0`, probabilities "
                f"by `> 0.5`. Received: {values.min():g}..{values.max():g}."
            )
    num = labels.shape[-1]
    labels, predictions, valid = (
        x.reshape(-1, num) for x in (labels, predictions, valid)
    )
    cells = [
        [((labels == t) & (predictions == p) & valid).sum(0) for p in (0, 1)]
        for t in (0, 1)
    ]
    return np.moveaxis(np.array(cells, "int64"), -1, 0)


@keras.saving.register_keras_serializable("kerasseg")
class MultilabelConfusionMatrix(Counts):
    """Confusion counts of every class on its own, added up over batches.

    `update_state` takes labels 0 and 1 and logits, [N, H, W, K] both; a class is
    predicted where its logit is > 0, probability 1/2. Entries with `ignore_label` or
    another number are left out. `result()` is [K, 2, 2] as of
    `multilabel_confusion_matrix`.

    Args:
        num_classes: K.
        ignore_label: label that is left out, or None.
        name: as in `keras.metrics.Metric`.
    """

    def __init__(
        self, num_classes, *, ignore_label=255, name="multilabel_confusion_matrix"
    ):
        super().__init__((num_classes, 2, 2), num_classes, ignore_label, name)

    def update_state(self, labels, logits, sample_weight=None):
        """Add a batch.

        Raises:
            ValueError: if shapes do not fit, or logits are probabilities.
        """
        refuse_probabilities(logits)
        logits = ops.convert_to_tensor(logits)
        shapes = list(np.shape(labels)), list(logits.shape)
        fits = len(shapes[0]) == len(shapes[1]) and all(
            a == b or None in (a, b) for a, b in zip(*shapes)
        )
        if not fits or logits.shape[-1] != self.num_classes:
            raise ValueError(
                f"Labels and logits must be [N, H, W, {self.num_classes}]; for class "
                "ids [N, H, W] take `ConfusionMatrix` and its scores. "
                f"Received: labels {shapes[0]}, logits {shapes[1]}."
            )
        self._check_values(labels, logits)
        labels = ops.cast(labels, "int32")
        valid = ops.logical_or(labels == 0, labels == 1)
        if self.ignore_label is not None:
            valid = ops.logical_and(valid, labels != self.ignore_label)
        # Whole numbers while no weight asks for more: float32 counts stop at 2^24.
        dtype, weights = "int32", ops.cast(valid, "int32")
        if sample_weight is not None:
            _, of_pixels = split_weights(sample_weight, logits, per_image=False)
            dtype, weights = "float32", ops.expand_dims(of_pixels, -1)
            weights = weights * ops.cast(valid, dtype)
        axes = tuple(range(len(labels.shape) - 1))
        there = ops.cast(labels == 1, dtype)
        found = ops.cast(logits > 0, dtype)
        cells = [
            ops.sum(weights * t * p, axis=axes)
            for t in (1 - there, there)
            for p in (1 - found, found)
        ]
        self._add(ops.reshape(ops.stack(cells, axis=-1), (self.num_classes, 2, 2)))

    def _check_values(self, labels, logits):
        values = known(labels)
        if values is None:
            return
        if not np.all(values == np.floor(values)):
            raise ValueError(
                "Labels must be 0 and 1. Received: numbers between "
                f"{values.min():g} and {values.max():g}."
            )
        messages = check_ids(values, 2, self.ignore_label), check_logits(logits, True)
        for message in filter(None, messages):
            warnings.warn(message, stacklevel=3)  # where `update_state` is called


@keras.saving.register_keras_serializable("kerasseg")
class MultilabelIoU(MultilabelConfusionMatrix):
    """Mean over classes of the IoU of each class against all else.

    Classes that occur in neither labels nor predictions are left out. Arguments as in
    `MultilabelConfusionMatrix`.
    """

    _direction = "up"

    def __init__(self, num_classes, *, ignore_label=255, name="multilabel_iou"):
        super().__init__(num_classes, ignore_label=ignore_label, name=name)

    def result(self):
        matrix = ops.cast(super().result(), "float32")
        hits, errors = matrix[:, 1, 1], matrix[:, 0, 1] + matrix[:, 1, 0]
        return scores.mean_of_known(hits, hits + errors)


@keras.saving.register_keras_serializable("kerasseg")
class MultilabelDice(MultilabelConfusionMatrix):
    """Mean over classes of the Dice coefficient (macro F1); see `MultilabelIoU`."""

    _direction = "up"

    def __init__(self, num_classes, *, ignore_label=255, name="multilabel_dice"):
        super().__init__(num_classes, ignore_label=ignore_label, name=name)

    def result(self):
        matrix = ops.cast(super().result(), "float32")
        hits, errors = matrix[:, 1, 1], matrix[:, 0, 1] + matrix[:, 1, 0]
        return scores.mean_of_known(2 * hits, 2 * hits + errors)
