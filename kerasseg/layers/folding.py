"""Batch normalisation at inference as part of the convolution before it."""

CONVOLUTIONS = ("Conv2D", "DepthwiseConv2dNative")
LARGE = 2**18  # weights of a kernel, above which its features are fewer, and scaled
ATTRIBUTES = ("strides", "padding", "explicit_paddings", "data_format", "dilations")


def scale_and_shift(inputs, scale, offset):
    """inputs * scale + offset, by channels.

    Where a graph shows the convolution that made `inputs`, its kernel is scaled
    instead, unless it is large; the convolution itself is then left over and TensorFlow
    drops it.

    Args:
        inputs: float32 tensor [N, H, W, C].
        scale, offset: float32 [C].

    Returns:
        float32 tensor [N, H, W, C].
    """
    import tensorflow as tf

    made_by = inputs.op if tf.is_symbolic_tensor(inputs) else None
    if made_by is None or made_by.type not in CONVOLUTIONS:
        return tf.nn.bias_add(inputs * scale, offset)
    image, kernel = made_by.inputs
    if (kernel.shape.num_elements() or 0) > LARGE:
        return tf.nn.bias_add(inputs * scale, offset)
    # [h, w, in, out], or [h, w, channels, multiplier] where each channel is alone.
    if made_by.type == "DepthwiseConv2dNative":
        scale = tf.reshape(scale, kernel.shape[2:])
    convolve = getattr(tf.raw_ops, made_by.type)
    attributes = {name: made_by.get_attr(name) for name in ATTRIBUTES}
    return tf.nn.bias_add(
        convolve(input=image, filter=kernel * scale, **attributes), offset
    )
