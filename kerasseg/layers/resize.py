"""Resizing to the size of another tensor."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("kerasseg")
class ResizeLike(keras.layers.Layer):
    """Resizes `x` to the height and width of `like`; sizes may be dynamic.

    Call it with two tensors: `ResizeLike()([x, like])`, `x` [N, h, w, C] and `like`
    [N, H, W, any]; the result is [N, H, W, C] in the compute dtype. Pixel centres
    lie at i + 0.5 (the "align_corners=False" of PyTorch).

    `keras.ops.image.resize` cannot trace a size that is a tensor, so TensorFlow's
    own op is used there; other backends know their sizes when they run.

    Args:
        interpolation: "bilinear" or "nearest".

    Raises:
        ValueError: if `interpolation` is neither.
    """

    def __init__(self, interpolation="bilinear", **kwargs):
        if interpolation not in ("bilinear", "nearest"):
            raise ValueError(
                "`interpolation` must be 'bilinear' or 'nearest'. "
                f"Received: interpolation={interpolation!r}."
            )
        super().__init__(**kwargs)
        self.interpolation = interpolation

    def call(self, inputs):
        x, like = inputs
        if None not in x.shape[1:3] and x.shape[1:3] == like.shape[1:3]:
            return x
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            resized = tf.image.resize(x, tf.shape(like)[1:3], self.interpolation)
        else:
            size = ops.shape(like)[1:3]
            resized = ops.image.resize(x, size, interpolation=self.interpolation)
        return ops.cast(resized, self.compute_dtype)

    def compute_output_spec(self, inputs):
        x, like = inputs
        shape = (x.shape[0], *like.shape[1:3], x.shape[3])
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "interpolation": self.interpolation}
