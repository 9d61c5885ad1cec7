"""Cropping to the size of another tensor."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("kerasseg")
class CropLike(keras.layers.Layer):
    """Crops `x` to the height and width of `like`; sizes may be dynamic.

    Call it with two tensors: `CropLike()([x, like])`, `x` [N, H, W, C] at least as
    large as `like` [N, h, w, any]; the result is [N, h, w, C].

    Args:
        align: "center" keeps the middle (U-Net's valid convolutions), "start" the
            upper left (undoes the padding that "same" adds at the far side).

    Raises:
        ValueError: if `align` is neither.
    """

    def __init__(self, align="center", **kwargs):
        if align not in ("center", "start"):
            raise ValueError(
                f"`align` must be 'center' or 'start'. Received: align={align!r}."
            )
        super().__init__(**kwargs)
        self.align = align

    def call(self, inputs):
        x, like = inputs
        (height, width), (h, w) = ops.shape(x)[1:3], ops.shape(like)[1:3]
        top, left = 0, 0
        if self.align == "center":
            top, left = (height - h) // 2, (width - w) // 2
        return x[:, top : top + h, left : left + w]

    def compute_output_spec(self, inputs):
        x, like = inputs
        shape = (x.shape[0], *like.shape[1:3], x.shape[3])
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "align": self.align}
