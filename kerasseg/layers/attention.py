"""Attention between positions, without weights of its own."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("kerasseg")
class DotAttention(keras.layers.Layer):
    """Sums values, weighted by how well their keys match each query.

    Call it with three tensors: `DotAttention()([query, key, value])`, `query`
    [N, H, W, Q], `key` [N, h, w, Q] or [N, L, Q], `value` likewise with C channels;
    the result is [N, H, W, C]. The softmax runs in float32.

    Args:
        num_heads: groups of channels that attend on their own.
        scale: factor of the dot products; None is 1 / sqrt(Q / num_heads).
        joint: one softmax over all pairs of query and key, as in MA-Net, instead of
            one over the keys of each query.

    Reference: Vaswani et al., 2017, https://arxiv.org/abs/1706.03762
    """

    def __init__(self, num_heads=1, scale=None, joint=False, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.scale = scale
        self.joint = joint

    def call(self, inputs):
        query, key, value = inputs
        scale = self.scale or (query.shape[-1] // self.num_heads) ** -0.5
        q, v = self._split(query * scale), self._split(value)
        # [N, heads, HW, L] for L keys
        scores = ops.matmul(q, ops.swapaxes(self._split(key), -1, -2))
        x = ops.matmul(_softmax(scores, self._axes()), v)  # [N, heads, HW, C / heads]
        n, height, width, _ = ops.shape(query)
        shape = (n, height, width, value.shape[-1])
        return ops.reshape(ops.swapaxes(x, 1, 2), shape)

    def _split(self, x):
        """[N, ..., C] -> [N, heads, positions, C / heads]."""
        depth = x.shape[-1] // self.num_heads
        x = ops.reshape(x, (ops.shape(x)[0], -1, self.num_heads, depth))
        return ops.swapaxes(x, 1, 2)

    def _axes(self):
        return (-2, -1) if self.joint else -1

    def compute_output_spec(self, inputs):
        query, _, value = inputs
        shape = (*query.shape[:3], value.shape[-1])
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "scale": self.scale,
            "joint": self.joint,
        }


@keras.saving.register_keras_serializable("kerasseg")
class ReadChannelsFirst(keras.layers.Layer):
    """Takes the numbers of a map [N, H, W, C] in order as [N, C, H, W], and turns them.

    A mistake that weights of segmentation_models.pytorch's MA-Net were trained with.
    """

    def call(self, x):
        n, height, width, _ = ops.shape(x)
        x = ops.reshape(x, (n, x.shape[-1], height, width))
        return ops.transpose(x, (0, 2, 3, 1))

    def compute_output_spec(self, x):
        return keras.KerasTensor(x.shape, dtype=self.compute_dtype)


@keras.saving.register_keras_serializable("kerasseg")
class PositionSoftmax(keras.layers.Layer):
    """Softmax of features [N, L, C] over their L positions, in float32."""

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, x):
        return _softmax(x, 1)


def _softmax(scores, axes):
    """By hand: Keras' own warns of a single key, which small images have."""
    x = ops.cast(scores, "float32")
    x = ops.exp(x - ops.max(x, axis=axes, keepdims=True))
    return ops.cast(x / ops.sum(x, axis=axes, keepdims=True), scores.dtype)
