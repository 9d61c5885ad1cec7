"""Floating-point operations of a model, counted from the shapes of its layers."""

import math

import keras
from keras import layers

from kerasseg.layers import DotAttention


def gflops(model):
    """GFLOPs: floating-point operations for one image, in billions.

    A multiply-add in convolutions, dense layers and attention counts as two operations;
    published figures often count it as one. Element-wise operations (normalisation,
    activation, resizing) are left out, as they are there.

    Args:
        model: functional keras.Model of a fixed image size.

    Returns:
        float.

    Raises:
        ValueError: if a layer's output size is unknown.

    Example:
        >>> image = keras.Input((8, 8, 3))
        >>> x = keras.layers.Conv2D(4, 3, padding="same")(image)
        >>> gflops(keras.Model(image, x)) * 1e9  # 2 x 64 positions x 27 weights x 4
        13824.0
    """
    return 2 * _multiplications(model) / 1e9


def _multiplications(model):
    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            total += _multiplications(layer)
        elif isinstance(layer, DotAttention):
            # Scores: queries x keys x channels; sums: queries x values.
            query, key, value = (math.prod(x.shape[1:]) for x in layer.input)
            channels = layer.input[0].shape[-1]
            total += query // channels * (key + value)
        elif hasattr(layer, "kernel") or isinstance(layer, layers.DepthwiseConv2D):
            transposed = isinstance(layer, layers.Conv2DTranspose)
            # Every weight is applied once per position of the output, or of the input
            # where the convolution is transposed.
            shape = (layer.input if transposed else layer.output).shape[1:-1]
            if None in shape:
                raise ValueError(
                    "`model` must be built for a fixed image size. "
                    f"Received: layer {layer.name!r} with outputs {layer.output.shape}."
                )
            total += math.prod(shape) * math.prod(layer.kernel.shape)
    return total
