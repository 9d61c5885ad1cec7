"""Streaming confusion matrix, and the Keras metrics that read it."""

import warnings

import keras
from keras import ops

from kerasseg.losses.checks import check_values, known
from kerasseg.losses.weighted import split_weights
from kerasseg.metrics import scores
from kerasseg.metrics._counts import Counts, count


@keras.saving.register_keras_serializable("kerasseg")
class ConfusionMatrix(Counts):
    """Confusion matrix of class ids and logits, added up over batches.

    `update_state` takes labels [N, H, W] or [N, H, W, 1] and logits [N, H, W, K]. The
    prediction is the largest logit, or with one logit (K == 1) class 1 where it is > 0.
    Pixels whose label is `ignore_label` or no class id are left out. `result()` is
    [K, K] (2 x 2 for one logit), rows are labels, columns are predictions; `numpy()` is
    the same as exact int64 array. For `compile` take the scores below, or several
    outputs as metrics={"logits": [MeanIoU(21)]}.

    Counts are exact to 2^55 per cell on every backend. On JAX `result()` is float32,
    hence rounded; elsewhere it is int64. Weighted counts, of `weighted_metrics` and
    `sample_weight`, are floats.

    Args:
        num_classes: channels of the logits; 1 for a binary model.
        ignore_label: label that is left out, or None.
        name: as in `keras.metrics.Metric`.

    Example:
        >>> matrix = ConfusionMatrix(2)
        >>> matrix.update_state([[[0, 1, 255]]], [[[[1, 0], [1, 0], [1, 0]]]])
        >>> matrix.numpy().tolist()
        [[1, 0], [1, 0]]
    """

    def __init__(self, num_classes, *, ignore_label=255, name="confusion_matrix"):
        size = 2 if num_classes == 1 else num_classes
        super().__init__((size, size), num_classes, ignore_label, name)
        # All labels, ignored ones included, for the warning below.
        self._seen = self.add_variable(
            shape=(),
            initializer="zeros",
            dtype=self._words.dtype,
            aggregation="sum",
            name="seen",
        )

    def update_state(self, labels, logits, sample_weight=None):
        """Add a batch.

        Args:
            labels, logits: as above.
            sample_weight: None, or one number per image [N] or pixel [N, H, W], by
                which pixels count; Keras gives it to `weighted_metrics`.

        Raises:
            ValueError: if shapes do not fit, labels are no whole numbers, or a binary
                model returns a probability, whose threshold is not that of logits.
        """
        check_values(labels, logits, self.ignore_label, scores=True)
        weights = None
        if sample_weight is not None:
            _, weights = split_weights(
                sample_weight, ops.convert_to_tensor(logits), per_image=False
            )
        self._seen.assign_add(ops.cast(ops.size(labels), self._seen.dtype))
        self._add(count(labels, logits, self.num_classes, self.ignore_label, weights))

    def result(self):
        counts = super().result()
        self._check_foreground(counts)
        return counts

    def _check_foreground(self, counts):
        """Warn if a binary model saw no foreground, but other labels that count not.

        In `fit` no value can be looked at before this.
        """
        seen, counts = known(self._seen + 0), known(counts)
        if self.num_classes > 2 or seen is None or counts is None or self._weighs:
            return
        left_out = int(seen - counts.sum())
        if left_out and counts[0].any() and not counts[1].any():
            warnings.warn(
                f"No pixel is labelled 1; {left_out} of {int(seen)} carry the ignore "
                f"label {self.ignore_label} or no class, and do not count. If 255 is "
                "the foreground, write `labels = (labels > 127).astype('int32')`.",
                stacklevel=4,
            )


@keras.saving.register_keras_serializable("kerasseg")
class MeanIoU(ConfusionMatrix):
    """`mean_iou` of all batches so far; arguments as in `ConfusionMatrix`."""

    _direction = "up"  # for callbacks of Keras with mode="auto"

    def __init__(self, num_classes, *, ignore_label=255, name="mean_iou"):
        super().__init__(num_classes, ignore_label=ignore_label, name=name)

    def result(self):
        return scores.mean_iou(super().result())


@keras.saving.register_keras_serializable("kerasseg")
class MeanDice(ConfusionMatrix):
    """`mean_dice` of all batches so far; arguments as in `ConfusionMatrix`."""

    _direction = "up"

    def __init__(self, num_classes, *, ignore_label=255, name="mean_dice"):
        super().__init__(num_classes, ignore_label=ignore_label, name=name)

    def result(self):
        return scores.mean_dice(super().result())


@keras.saving.register_keras_serializable("kerasseg")
class PixelAccuracy(ConfusionMatrix):
    """`pixel_accuracy` of all batches so far; arguments as in `ConfusionMatrix`."""

    _direction = "up"

    def __init__(self, num_classes, *, ignore_label=255, name="pixel_accuracy"):
        super().__init__(num_classes, ignore_label=ignore_label, name=name)

    def result(self):
        return scores.pixel_accuracy(super().result())


@keras.saving.register_keras_serializable("kerasseg")
class MeanAccuracy(ConfusionMatrix):
    """`mean_accuracy` of all batches so far; arguments as in `ConfusionMatrix`."""

    _direction = "up"

    def __init__(self, num_classes, *, ignore_label=255, name="mean_accuracy"):
        super().__init__(num_classes, ignore_label=ignore_label, name=name)

    def result(self):
        return scores.mean_accuracy(super().result())


@keras.saving.register_keras_serializable("kerasseg")
class FrequencyWeightedIoU(ConfusionMatrix):
    """`frequency_weighted_iou` so far; arguments as in `ConfusionMatrix`."""

    _direction = "up"

    def __init__(self, num_classes, *, ignore_label=255, name="frequency_weighted_iou"):
        super().__init__(num_classes, ignore_label=ignore_label, name=name)

    def result(self):
        return scores.frequency_weighted_iou(super().result())


@keras.saving.register_keras_serializable("kerasseg")
class ClassIoU(ConfusionMatrix):
    """IoU of one class over all batches so far; NaN until it occurs.

    Args:
        num_classes: channels of the logits; 1 for a binary model.
        class_id: which class; for a binary model 0 is background, 1 foreground.
        ignore_label: label that is left out, or None.
        name: as in `keras.metrics.Metric`; "class3_iou" for class 3 unless given.
    """

    _direction = "up"

    def __init__(self, num_classes, class_id, *, ignore_label=255, name=None):
        name = name or f"class{class_id}_iou"
        super().__init__(num_classes, ignore_label=ignore_label, name=name)
        if not 0 <= class_id < max(num_classes, 2):
            raise ValueError(
                f"`class_id` must lie in 0..{max(num_classes, 2) - 1}. "
                f"Received: class_id={class_id}."
            )
        self.class_id = class_id

    def result(self):
        return scores.iou_per_class(super().result())[self.class_id]

    def get_config(self):
        return {**super().get_config(), "class_id": self.class_id}
