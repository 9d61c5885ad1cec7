"""Batch normalisation at inference, without the kernel that oneDNN computes slowly."""

import keras

from kerasseg import machine

CONVOLUTIONS = ("Conv2D", "DepthwiseConv2dNative")
ATTRIBUTES = ("strides", "padding", "explicit_paddings", "data_format", "dilations")


def kernel_is_slow(inputs):
    """Whether TensorFlow's fused kernel would meet oneDNN where that has AVX2 alone.

    There TensorFlow fuses it further, into the convolution before, and for one image
    oneDNN then takes 16 times as long as for two (benchmarks/README.md).
    """
    import tensorflow as tf

    on_gpu = bool(tf.config.list_physical_devices("GPU"))
    float32 = keras.backend.standardize_dtype(inputs.dtype) == "float32"
    return float32 and machine.asked_for_onednn() and not on_gpu


def scale_and_shift(inputs, scale, offset):
    """inputs * scale + offset, by channels.

    Where a graph shows the convolution that made `inputs`, its kernel is scaled
    instead; the convolution itself is then left over and TensorFlow drops it. Not for
    one image, where oneDNN computes bias and activation behind a convolution, not
    inside, and on one core.

    Args:
        inputs: float32 tensor [N, H, W, C].
        scale, offset: float32 [C].

    Returns:
        float32 tensor [N, H, W, C].
    """
    import tensorflow as tf

    made_by = inputs.op if tf.is_symbolic_tensor(inputs) else None
    if made_by is None or made_by.type not in CONVOLUTIONS or inputs.shape[0] == 1:
        return tf.nn.bias_add(inputs * scale, offset)
    image, kernel = made_by.inputs
    # [h, w, in, out], or [h, w, channels, multiplier] where each channel is alone.
    if made_by.type == "DepthwiseConv2dNative":
        scale = tf.reshape(scale, kernel.shape[2:])
    convolve = getattr(tf.raw_ops, made_by.type)
    attributes = {name: made_by.get_attr(name) for name in ATTRIBUTES}
    return tf.nn.bias_add(
        convolve(input=image, filter=kernel * scale, **attributes), offset
    )
