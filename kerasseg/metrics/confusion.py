"""Streaming confusion matrix, and the Keras metrics that read it."""

import keras
import numpy as np
from keras import ops

from kerasseg.metrics import scores

# A cell counts up to this in its low word before it carries into the high word. With
# int32 (JAX) a batch may so hold 2^31 - 2^24 pixels, and all batches 2^55.
_WORD = 2**24


@keras.saving.register_keras_serializable("kerasseg")
class ConfusionMatrix(keras.metrics.Metric):
    """Confusion matrix of class ids and logits, added up over batches.

    `update_state` takes labels [N, H, W] and logits [N, H, W, K]. The prediction is
    the largest logit, or with one logit (K == 1) class 1 where it is > 0. Pixels whose
    label is `ignore_label` or no class id are left out. `result()` is [K, K] (2 x 2
    for one logit), rows are labels, columns are predictions; `numpy()` is the same as
    exact int64 array. For `compile` take the scores below, or several outputs as
    metrics={"logits": [MeanIoU(21)]}.

    Counts are exact to 2^55 per cell on every backend: JAX has no 64-bit integers by
    default, and float32 stops counting at 2^24, so a cell is two integer words. On JAX
    `result()` is float32, hence rounded; elsewhere it is int64.

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
        super().__init__(name=name, dtype="float32")
        if num_classes < 1:
            raise ValueError(
                "`num_classes` must be at least 1 (1: one binary logit). "
                f"Received: num_classes={num_classes}."
            )
        self.num_classes = num_classes
        self.ignore_label = ignore_label
        size = max(num_classes, 2)
        self._words = self.add_variable(
            shape=(2, size, size),  # low words, high words
            initializer="zeros",
            dtype="int32" if keras.backend.backend() == "jax" else "int64",
            aggregation="sum",
            name="words",
        )

    def update_state(self, labels, logits, sample_weight=None):
        """Add a batch.

        Raises:
            ValueError: if shapes do not fit, or with `sample_weight`: pixels are
                counted, not weighed. Give the metric to `metrics`, not to
                `weighted_metrics`.
        """
        if sample_weight is not None:
            raise ValueError(
                "A confusion matrix counts pixels and takes no weights; give it to "
                "`metrics`, not `weighted_metrics`. Received: a sample_weight."
            )
        counts = _count(labels, logits, self.num_classes, self.ignore_label)
        low = self._words[0] + ops.cast(counts, self._words.dtype)
        high = self._words[1] + low // _WORD
        self._words.assign(ops.stack([low % _WORD, high]))

    def result(self):
        low, high = self._words[0], self._words[1]
        if keras.backend.backend() == "jax":
            low, high = ops.cast(low, "float32"), ops.cast(high, "float32")
        return low + high * _WORD

    def numpy(self):
        """The matrix as int64 NumPy array [K, K]."""
        low, high = ops.convert_to_numpy(self._words).astype(np.int64)
        return low + high * _WORD

    def get_config(self):
        return {
            "num_classes": self.num_classes,
            "ignore_label": self.ignore_label,
            "name": self.name,
        }


@keras.saving.register_keras_serializable("kerasseg")
class MeanIoU(ConfusionMatrix):
    """`mean_iou` of all batches so far; arguments as in `ConfusionMatrix`."""

    def __init__(self, num_classes, *, ignore_label=255, name="mean_iou"):
        super().__init__(num_classes, ignore_label=ignore_label, name=name)

    def result(self):
        return scores.mean_iou(super().result())


@keras.saving.register_keras_serializable("kerasseg")
class MeanDice(ConfusionMatrix):
    """`mean_dice` of all batches so far; arguments as in `ConfusionMatrix`."""

    def __init__(self, num_classes, *, ignore_label=255, name="mean_dice"):
        super().__init__(num_classes, ignore_label=ignore_label, name=name)

    def result(self):
        return scores.mean_dice(super().result())


@keras.saving.register_keras_serializable("kerasseg")
class PixelAccuracy(ConfusionMatrix):
    """`pixel_accuracy` of all batches so far; arguments as in `ConfusionMatrix`."""

    def __init__(self, num_classes, *, ignore_label=255, name="pixel_accuracy"):
        super().__init__(num_classes, ignore_label=ignore_label, name=name)

    def result(self):
        return scores.pixel_accuracy(super().result())


@keras.saving.register_keras_serializable("kerasseg")
class MeanAccuracy(ConfusionMatrix):
    """`mean_accuracy` of all batches so far; arguments as in `ConfusionMatrix`."""

    def __init__(self, num_classes, *, ignore_label=255, name="mean_accuracy"):
        super().__init__(num_classes, ignore_label=ignore_label, name=name)

    def result(self):
        return scores.mean_accuracy(super().result())


@keras.saving.register_keras_serializable("kerasseg")
class FrequencyWeightedIoU(ConfusionMatrix):
    """`frequency_weighted_iou` so far; arguments as in `ConfusionMatrix`."""

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


def _count(labels, logits, num_classes, ignore_label):
    """Confusion counts of one batch, int32 [K, K]."""
    labels, logits = ops.cast(labels, "int32"), ops.convert_to_tensor(logits)
    if len(labels.shape) == len(logits.shape) and labels.shape[-1] == 1:
        labels = ops.squeeze(labels, -1)
    fits = len(labels.shape) == len(logits.shape) - 1 and all(
        a == b or a is None or b is None for a, b in zip(labels.shape, logits.shape)
    )
    if logits.shape[-1] != num_classes or not fits:
        raise ValueError(
            f"Labels must be class ids [N, H, W] for logits [N, H, W, {num_classes}] "
            f"of the same size. Received: labels {list(labels.shape)}, "
            f"logits {list(logits.shape)}."
        )
    size = max(num_classes, 2)
    # A row below the matrix takes what does not count. Each pass over the pixels costs
    # as much as the counting itself, so there are few.
    rows = _clip(labels, size)
    if ignore_label is not None and 0 <= ignore_label < size:
        rows = ops.where(labels == ignore_label, size, rows)
    cells = rows * size + _predict(logits)
    cells = ops.reshape(cells, (-1,))
    return ops.reshape(_bincount(cells, size * size), (size, size))


def _clip(labels, size):
    """Labels int32 in 0..size - 1, and `size` for all others."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # One pass instead of three: as unsigned numbers, negative labels are large.
        rows = tf.minimum(tf.bitcast(labels, "uint32"), tf.constant(size, "uint32"))
        return tf.bitcast(rows, "int32")
    return ops.where(labels < 0, size, ops.minimum(labels, size))


def _predict(logits):
    """Class ids [N, H, W] from logits."""
    if logits.shape[-1] == 1:
        return ops.cast(ops.squeeze(logits, -1) > 0, "int32")
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # keras.ops.argmax copies the logits to order -0 before 0: 4 times slower.
        return tf.argmax(logits, axis=-1, output_type=tf.int32)
    return ops.cast(ops.argmax(logits, axis=-1), "int32")


def _bincount(ids, length):
    """Counts of each of 0..length-1 in ids [P]; larger ids are not counted."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf
        from tensorflow.python.framework.config import is_op_determinism_enabled

        # 4 times faster than segment_sum on the CPU, but its GPU kernel refuses to run
        # when deterministic ops are asked for. tf.math.bincount itself works out the
        # size at run time, which XLA (Keras' default on a GPU) cannot compile.
        if not is_op_determinism_enabled():
            return tf.raw_ops.DenseBincount(
                input=ids, size=length, weights=tf.zeros([0], tf.int32)
            )
    # keras.ops.bincount cannot be compiled under JAX.
    ids = ops.minimum(ids, length)
    counts = ops.segment_sum(ops.ones_like(ids), ids, num_segments=length + 1)
    return counts[:length]
