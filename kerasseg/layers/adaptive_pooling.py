"""Averages over a fixed number of cells, whatever the image size."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("kerasseg")
class AdaptiveAveragePooling(keras.layers.Layer):
    """Averages [N, H, W, C] over size x size cells to [N, size, size, C].

    Cell i reaches from floor(i H / size) to ceil((i + 1) H / size), as in PyTorch, so
    neighbours overlap where H is no multiple of `size`. H and W may be dynamic, and
    smaller than `size` (the layer of Keras 3.15 needs static sizes).

    Args:
        size: cells per side.
    """

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def call(self, x):
        # Products, not slices: the lengths of the cells are known only at run time.
        # Not einsum, which tf2onnx reshapes wrongly where both sizes are dynamic.
        n, height, width, channels = ops.shape(x)
        rows = ops.reshape(x, (n, height, width * channels))
        rows = ops.matmul(self._weights(height), rows)  # [N, size, W C]
        rows = ops.reshape(rows, (n, self.size, width, channels))
        return ops.matmul(self._weights(width), rows)

    def _weights(self, length):
        """Weights [size, length]: 1 / (its length) within a cell, 0 outside."""
        cell = ops.expand_dims(ops.arange(self.size, dtype="int32"), 1)
        position = ops.arange(length, dtype="int32")
        start = cell * length // self.size
        stop = ((cell + 1) * length + self.size - 1) // self.size
        inside = ops.logical_and(position >= start, position < stop)
        weights = ops.cast(inside, "float32") / ops.cast(stop - start, "float32")
        return ops.cast(weights, self.compute_dtype)

    def compute_output_spec(self, x):
        shape = (x.shape[0], self.size, self.size, x.shape[3])
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "size": self.size}
