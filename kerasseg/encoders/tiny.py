"""A tiny encoder for tests and demonstrations."""

import keras

from kerasseg import blocks
from kerasseg.encoders.atrous import check_output_stride, stage_plan
from kerasseg.encoders.pretrained import load
from kerasseg.encoders.traits import encoder
from kerasseg.layers import Normalize


@encoder()
def tiny(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """Five strided 3x3 convolutions of 8 to 40 channels: for tests, not for results.

    Args:
        input_shape: (H, W, C), sizes may be None; raw pixels 0..255.
        weights: None or a path.
        output_stride: 8, 16 or 32.

    Returns:
        keras.Model: image -> {"c1": stride 2, ..., "c5": stride 32 or less}.
    """
    check_output_stride(output_stride, "tiny")
    image = keras.Input(input_shape, name="image")
    x = Normalize(mean=127.5, std=127.5, name="normalize")(image)
    taps = {}
    plan = stage_plan([2] * 5, output_stride)
    for level, (stride, first, dilation) in enumerate(plan, 1):
        # Few and different: a decoder that mixes up two taps fails by its shapes.
        name, filters = f"level{level}", 8 * level
        x = blocks.conv_norm_act(
            x, filters, strides=stride, dilation=first, name=f"{name}_1"
        )
        x = blocks.conv_norm_act(x, filters, dilation=dilation, name=f"{name}_2")
        taps[f"c{level}"] = x
    return load(keras.Model(image, taps, name="tiny"), weights)
