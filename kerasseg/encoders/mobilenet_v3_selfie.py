"""Encoder of Google's selfie segmenter: a narrower MobileNetV3-Small, to stride 16."""

import keras
from keras import layers

from kerasseg import blocks
from kerasseg.encoders.atrous import check_output_stride
from kerasseg.encoders.inverted_residual import round_to_8
from kerasseg.encoders.pretrained import load
from kerasseg.encoders.traits import encoder
from kerasseg.layers import Normalize

# (kernel size, expanded channels, channels, squeeze-excite, activation, stride)
TABLE = (
    (3, 16, 16, True, "relu", 2),
    (3, 72, 24, False, "relu", 2),
    (3, 88, 24, False, "relu", 1),
    (5, 96, 32, True, "hard_silu", 2),
    (5, 128, 32, True, "hard_silu", 1),
    (5, 128, 32, True, "hard_silu", 1),
    (5, 96, 32, True, "hard_silu", 1),
    (5, 96, 32, True, "hard_silu", 1),
)
TAPS = {0: "c1", 1: "c2", 3: "c3", 8: "c4"}  # by number of the block, 0 is the stem
# Strided convolutions pad as TensorFlow does, where the weights expect the odd zero;
# batch normalisation is folded into convolutions, as it was published.
OPTIONS = {"padding": "same", "norm": None}


@encoder(dense=False)
def mobilenet_v3_selfie(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """Eight blocks of MobileNetV3-Small with at most 32 channels and no normalisation.

    Gates end in a sigmoid. "c5" is "c4" pooled, for decoders that begin there; the
    published network ends at "c4".

    Args:
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        weights: None or a path.
        output_stride: 32 only.

    Returns:
        keras.Model: image -> {"c1": 16, "c2": 16, "c3": 24, "c4": 32, "c5": 32
        channels} at strides 2, 4, 8, 16, 32.

    Reference: Howard et al., 2019, https://arxiv.org/abs/1905.02244
    """
    check_output_stride(output_stride, "mobilenet_v3_selfie", choices=(32,))
    image = keras.Input(input_shape, name="image")
    x = Normalize(name="normalize")(image)
    x = blocks.conv(x, 16, strides=2, padding="same", name="stem_conv")
    x = blocks.activate(x, "hard_silu", name="stem")
    taps = {"c1": x}
    for number, row in enumerate(TABLE, 1):
        x = _block(x, *row, name=f"block{number}")
        if number in TAPS:
            taps[TAPS[number]] = x
    taps["c5"] = layers.MaxPooling2D(2, padding="same", name="pool")(x)
    return load(keras.Model(image, taps, name="mobilenet_v3_selfie"), weights)


def _block(x, kernel_size, expanded, filters, gated, activation, strides, *, name):
    inputs = x
    x = blocks.conv(x, expanded, 1, name=f"{name}_expand_conv")
    x = blocks.activate(x, activation, name=f"{name}_expand")
    x = blocks.depthwise_conv_norm_act(
        x,
        kernel_size,
        strides=strides,
        activation=activation,
        name=f"{name}_depthwise",
        **OPTIONS,
    )
    if gated:
        gate = blocks.channel_gate(x, round_to_8(expanded // 4), name=f"{name}_gate")
        x = layers.Multiply(name=f"{name}_gated")([x, gate])
    x = blocks.conv(x, filters, 1, name=f"{name}_project_conv")
    if strides == 1 and inputs.shape[-1] == filters:
        x = layers.Add(name=f"{name}_add")([inputs, x])
    return x
