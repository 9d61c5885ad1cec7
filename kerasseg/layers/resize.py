"""Resizing to the size of another tensor, or to a given one."""

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable("kerasseg")
class ResizeLike(keras.layers.Layer):
    """Resizes `x` to the height and width of `like`; sizes may be dynamic.

    Call it with two tensors: `ResizeLike()([x, like])`, `x` [N, h, w, C] and `like`
    [N, H, W, any]; the result is [N, H, W, C] in the compute dtype. Pixel centres
    lie at i + 0.5, unless `align_corners` lays the first and last pixels of both
    sizes on each other, as some published networks were trained.

    `keras.ops.image.resize` cannot trace a size that is a tensor, so TensorFlow's
    own op is used there; other backends know their sizes when they run.

    Args:
        interpolation: "bilinear" or "nearest".
        align_corners: let corner pixels coincide; bilinear only.

    Raises:
        ValueError: if `interpolation` is neither.
    """

    def __init__(self, interpolation="bilinear", align_corners=False, **kwargs):
        if interpolation not in ("bilinear", "nearest"):
            raise ValueError(
                "`interpolation` must be 'bilinear' or 'nearest'. "
                f"Received: interpolation={interpolation!r}."
            )
        super().__init__(**kwargs)
        self.interpolation = interpolation
        self.align_corners = align_corners

    def call(self, inputs, training=False):
        x, like = inputs
        # Nothing to do costs nothing, and saved graphs stay small.
        if None not in x.shape[1:3] and x.shape[1:3] == like.shape[1:3]:
            return x
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            from kerasseg.layers import resampling

            size = tf.shape(like)[1:3]
            if self.interpolation == "nearest":
                resized = resampling.pick_nearest(x, size, training)
            else:
                resized = resampling.interpolate(x, size, self.align_corners)
        else:
            size = ops.shape(like)[1:3]
            if self.interpolation == "nearest":
                resized = resize_nearest(resize_nearest(x, size[0], 1), size[1], 2)
            elif self.align_corners:
                resized = _resize_corners(_resize_corners(x, size[0], 1), size[1], 2)
            else:
                resized = ops.image.resize(x, size, interpolation=self.interpolation)
        return ops.cast(resized, self.compute_dtype)

    def compute_output_spec(self, inputs, training=False):
        x, like = inputs
        shape = (x.shape[0], *like.shape[1:3], x.shape[3])
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "interpolation": self.interpolation,
            "align_corners": self.align_corners,
        }


@keras.saving.register_keras_serializable("kerasseg")
class ResizeTo(keras.layers.Layer):
    """Resizes images [N, H, W, C] of any size to one size, bilinearly as `ResizeLike`.

    For networks that work at one size. `keras.layers.Resizing` makes the layers behind
    it run as in training (Keras 3.15).

    Args:
        height, width: of the result.
    """

    def __init__(self, height, width, **kwargs):
        super().__init__(**kwargs)
        self.height, self.width = height, width

    def call(self, x):
        size = (self.height, self.width)
        # The image that is that large already must come through bit by bit.
        if tuple(x.shape[1:3]) == size:
            return x
        if keras.backend.backend() == "tensorflow":
            from kerasseg.layers import resampling

            resized = resampling.interpolate(x, size, align_corners=False)
        else:
            resized = ops.image.resize(x, size, interpolation="bilinear")
        return ops.cast(resized, self.compute_dtype)

    def compute_output_spec(self, x):
        shape = (x.shape[0], self.height, self.width, x.shape[3])
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "height": self.height, "width": self.width}


def resize_nearest(x, length, axis):
    """Pick the nearest pixels along one axis, those that TensorFlow picks.

    The centre of a pixel may fall between two others, as when 96 columns become 97:
    then the rounding of float32 decides, and JAX rounds in another order.
    """
    scale = np.float32(x.shape[axis]) / np.float32(length)
    at = (np.arange(length, dtype="float32") + np.float32(0.5)) * scale
    return ops.take(x, np.minimum(at.astype("int32"), x.shape[axis] - 1), axis=axis)


def _resize_corners(x, length, axis):
    """Interpolate along one axis, the corner pixels of both sizes together."""
    last = x.shape[axis] - 1
    # In steps of (in - 1) / (out - 1): the corner pixels of both lie on each other.
    at = ops.arange(length, dtype="float32") * (last / max(length - 1, 1))
    low = ops.minimum(ops.cast(at, "int32"), max(last - 1, 0))
    shape = [-1 if i == axis else 1 for i in range(4)]
    weight = ops.reshape(at - ops.cast(low, "float32"), shape)
    near = ops.take(x, low, axis=axis)
    far = ops.take(x, ops.minimum(low + 1, last), axis=axis)
    return near * (1 - weight) + far * weight
