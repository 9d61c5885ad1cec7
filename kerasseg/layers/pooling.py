"""Windows on maps that are smaller than they are.

TensorFlow fails there, or answers with memory that was never written.
"""

import keras
from keras import ops


@keras.saving.register_keras_serializable("kerasseg")
class MaxPooling2D(keras.layers.MaxPooling2D):
    """Keras' pooling; of maps smaller than the window it takes all that is there.

    Arguments and results are those of `keras.layers.MaxPooling2D`, which fails, or
    leaves nothing, where a side is shorter than the window.
    """

    def call(self, inputs):
        return _pool(super().call, ops.max_pool, self, inputs)

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(_shape(self, inputs.shape), dtype=self.compute_dtype)


@keras.saving.register_keras_serializable("kerasseg")
class AveragePooling2D(keras.layers.AveragePooling2D):
    """Keras' pooling; of maps smaller than the window it takes all that is there.

    Arguments and results are those of `keras.layers.AveragePooling2D`, see
    `MaxPooling2D`.
    """

    def call(self, inputs):
        return _pool(super().call, ops.average_pool, self, inputs)

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(_shape(self, inputs.shape), dtype=self.compute_dtype)


# Other forms of pooling are left to Keras: overlapping windows are padded by the
# caller.
def _has_windows_apart(layer):
    return (
        layer.padding == "valid"
        and layer.data_format == "channels_last"
        and layer.pool_size == layer.strides
    )


def _pool(call, pool, layer, inputs):
    """Cut what is left over beside whole windows, unless there is no whole one."""
    if not _has_windows_apart(layer):
        return call(inputs)
    for axis, window in enumerate(layer.pool_size, 1):
        length = inputs.shape[axis]
        if length is None:
            whole = ops.maximum(ops.shape(inputs)[axis] // window, 1) * window
        elif length % window == 0 or length < window:
            continue
        else:
            whole = length // window * window
        inputs = inputs[:, :whole] if axis == 1 else inputs[:, :, :whole]
    # Nothing is padded now, but for a map smaller than one window, and "same" pads by
    # what neither counts as a maximum nor in an average.
    return pool(inputs, layer.pool_size, layer.strides, "same", layer.data_format)


def _shape(layer, shape):
    """Sides of the result: rounded down, and at least 1."""
    if not _has_windows_apart(layer):
        return layer.compute_output_shape(shape)
    sides = (
        side and max(side // window, 1)
        for side, window in zip(shape[1:3], layer.pool_size)
    )
    return (shape[0], *sides, shape[3])


@keras.saving.register_keras_serializable("kerasseg")
class PadSmall(keras.layers.Layer):
    """Pads maps with fewer than `size` rows or columns, by zeros at the far sides.

    Args:
        size: rows and columns at least, of the result.
    """

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def call(self, x):
        sides = [side or ops.shape(x)[i] for i, side in enumerate(x.shape[1:3], 1)]
        if all(isinstance(side, int) and side >= self.size for side in sides):
            return x
        missing = [ops.maximum(self.size - side, 0) for side in sides]
        return ops.pad(x, [(0, 0), (0, missing[0]), (0, missing[1]), (0, 0)])

    def compute_output_spec(self, x):
        sides = (side and max(side, self.size) for side in x.shape[1:3])
        return keras.KerasTensor((x.shape[0], *sides, x.shape[3]), self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "size": self.size}
