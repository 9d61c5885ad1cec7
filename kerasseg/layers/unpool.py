"""Unpooling: values return to where the maxima were."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("kerasseg")
class Unpool(keras.layers.Layer):
    """Puts each value where the maximum of a 2x2 window was, zeros elsewhere.

    Call it with two tensors: `Unpool()([x, source])`, `source` [N, H, W, C] the
    features before a 2x2 max pooling, `x` [N, ceil(H / 2), ceil(W / 2), C]; the result
    is [N, H, W, C]. Of equal maxima the first in reading order counts. The positions
    are found again from `source`, which costs less than to carry them along.
    """

    def call(self, inputs):
        x, source = inputs
        n, height, width, channels = ops.shape(source)
        rows, columns = (height + 1) // 2, (width + 1) // 2
        # Padding must never be the maximum: close to the least value of the dtype.
        lowest = -3e38 if self.compute_dtype != "float16" else -6e4
        margins = [(0, 0), (0, 2 * rows - height), (0, 2 * columns - width), (0, 0)]
        windows = ops.pad(source, margins, constant_values=lowest)
        windows = ops.reshape(windows, (n, rows, 2, columns, 2, channels))
        windows = ops.transpose(windows, (0, 1, 3, 5, 2, 4))
        # The last axis is in reading order: argmax takes the first of equal maxima.
        windows = ops.reshape(windows, (n, rows, columns, channels, 4))
        mask = ops.one_hot(_argmax(windows), 4, dtype=self.compute_dtype)
        y = mask * ops.expand_dims(x, -1)  # [N, h, w, C, 4]
        y = ops.reshape(y, (n, rows, columns, channels, 2, 2))
        y = ops.transpose(y, (0, 1, 4, 2, 5, 3))
        y = ops.reshape(y, (n, 2 * rows, 2 * columns, channels))
        return y[:, :height, :width]

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(inputs[1].shape, dtype=self.compute_dtype)


def _argmax(windows):
    """Index of the first maximum along the last axis."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # The argmax of Keras 3.15 sorts -0.0 by bit casts, which ONNX and OpenVINO do
        # not have.
        return tf.argmax(windows, axis=-1, output_type="int32")
    return ops.argmax(windows, axis=-1)
