"""Counts that are added up over batches, and the counting of pixels."""

import numbers

import keras
import numpy as np
from keras import ops

# A cell counts up to this in its low word before it carries into the high word. With
# int32 (JAX) a batch may so hold 2^31 - 2^24 pixels, and all batches 2^55.
_WORD = 2**24


class ClassMetric(keras.metrics.Metric):
    """A Keras metric of class ids; arguments as in `ConfusionMatrix`."""

    def __init__(self, num_classes, ignore_label, name):
        if (
            not isinstance(num_classes, numbers.Integral)
            or isinstance(num_classes, bool)
            or num_classes < 1
        ):
            raise ValueError(
                "`num_classes` must be an integer, at least 1 (1: one binary logit). "
                f"Received: num_classes={num_classes!r}."
            )
        super().__init__(name=name, dtype="float32")
        self.num_classes = num_classes
        self.ignore_label = ignore_label

    def get_config(self):
        return {
            "num_classes": self.num_classes,
            "ignore_label": self.ignore_label,
            "name": self.name,
        }


class Counts(ClassMetric):
    """A Keras metric that adds up counts of a fixed shape, exactly.

    Counts are exact to 2^55 per cell on every backend: JAX has no 64-bit integers by
    default, and float32 stops counting at 2^24, so a cell is two integer words.
    Weighted counts are floats of their own, kept beside.

    Args:
        shape: of the counts.
        num_classes, ignore_label, name: as in `ConfusionMatrix`.
    """

    def __init__(self, shape, num_classes, ignore_label, name):
        super().__init__(num_classes, ignore_label, name)
        on_jax = keras.backend.backend() == "jax"
        common = {"initializer": "zeros", "aggregation": "sum"}
        self._words = self.add_variable(
            shape=(2, *shape),  # low words, high words
            dtype="int32" if on_jax else "int64",
            name="words",
            **common,
        )
        self._weighted = self.add_variable(
            shape=shape,
            dtype="float32" if on_jax else "float64",
            name="weighted",
            **common,
        )
        self._weighs = False  # whether any batch came with weights

    def _add(self, counts):
        """Add int32 counts, or float32 ones, which are weighted."""
        if "float" in keras.backend.standardize_dtype(counts.dtype):
            self._weighs = True
            self._weighted.assign_add(ops.cast(counts, self._weighted.dtype))
            return
        low = self._words[0] + ops.cast(counts, self._words.dtype)
        high = self._words[1] + low // _WORD
        self._words.assign(ops.stack([low % _WORD, high]))

    def result(self):
        low, high = self._words[0], self._words[1]
        if keras.backend.backend() == "jax":
            low, high = ops.cast(low, "float32"), ops.cast(high, "float32")
        counts = low + high * _WORD
        if self._weighs:
            return ops.cast(counts, self._weighted.dtype) + self._weighted
        return counts

    def numpy(self):
        """The counts as int64 NumPy array, float64 if there were weights."""
        low, high = ops.convert_to_numpy(self._words).astype(np.int64)
        counts = low + high * _WORD
        if self._weighs:
            return counts + ops.convert_to_numpy(self._weighted).astype(np.float64)
        return counts


def count(labels, logits, num_classes, ignore_label, weights=None):
    """Confusion counts of one batch, [K, K].

    Args:
        labels: [N, H, W] or [N, H, W, 1].
        logits: [N, H, W, K].
        num_classes: K.
        ignore_label: label that is left out, or None.
        weights: of pixels, [N, H, W], or None.

    Returns:
        int32, or float32 with weights.

    Raises:
        ValueError: if the shapes do not fit.
    """
    labels, logits, size = read(labels, logits, num_classes)
    # A row below the matrix takes what does not count. Each pass over the pixels costs
    # as much as the counting itself, so there are few.
    rows = _clip(labels, size)
    if ignore_label is not None and 0 <= ignore_label < size:
        rows = ops.where(labels == ignore_label, size, rows)
    cells = ops.reshape(rows * size + class_ids_of(logits), (-1,))
    if weights is not None:
        weights = ops.reshape(ops.cast(weights, "float32"), (-1,))
        counts = ops.segment_sum(weights, cells, num_segments=size * size + size)
        return ops.reshape(counts[: size * size], (size, size))
    return ops.reshape(_bincount(cells, size * size), (size, size))


def read(labels, logits, num_classes):
    """Labels int32 [N, H, W] and logits as tensors, and the number of classes.

    Raises:
        ValueError: if the shapes do not fit.
    """
    labels, logits = ops.cast(labels, "int32"), ops.convert_to_tensor(logits)
    if len(labels.shape) == len(logits.shape) and labels.shape[-1] == 1:
        labels = ops.squeeze(labels, -1)
    fits = len(labels.shape) == len(logits.shape) - 1 and all(
        a == b or a is None or b is None for a, b in zip(labels.shape, logits.shape)
    )
    if logits.shape[-1] != num_classes or not fits:
        one_hot = tuple(labels.shape) == tuple(logits.shape)
        fix = "One-hot labels become ids by `labels.argmax(-1)`. " if one_hot else ""
        raise ValueError(
            f"Labels must be class ids [N, H, W] for logits [N, H, W, {num_classes}] "
            f"of the same size. {fix}Received: labels {list(labels.shape)}, "
            f"logits {list(logits.shape)}."
        )
    return labels, logits, max(num_classes, 2)


def class_ids_of(logits):
    """Class ids [N, H, W] from logits."""
    if logits.shape[-1] == 1:
        return ops.cast(ops.squeeze(logits, -1) > 0, "int32")
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # keras.ops.argmax copies the logits to order -0 before 0: 4 times slower.
        return tf.argmax(logits, axis=-1, output_type=tf.int32)
    return ops.cast(ops.argmax(logits, axis=-1), "int32")


def _clip(labels, size):
    """Labels int32 in 0..size - 1, and `size` for all others."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # One pass instead of three: as unsigned numbers, negative labels are large.
        rows = tf.minimum(tf.bitcast(labels, "uint32"), tf.constant(size, "uint32"))
        return tf.bitcast(rows, "int32")
    return ops.where(labels < 0, size, ops.minimum(labels, size))


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
