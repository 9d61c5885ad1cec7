"""The encoder of Fast-SCNN: depthwise separable convolutions and bottlenecks."""

import keras
from keras import layers

from kerasseg import blocks
from kerasseg.encoders.atrous import check_output_stride
from kerasseg.encoders.pretrained import load
from kerasseg.encoders.resnet import MEAN, STD
from kerasseg.encoders.traits import encoder
from kerasseg.layers import Normalize


@encoder(dense=False)
def scnn(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """Learning to downsample and the global feature extractor of Fast-SCNN.

    Args:
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        weights: None or a path.
        output_stride: 32 only.

    Returns:
        keras.Model: image -> {"c1": 32, "c2": 48, "c3": 64, "c4": 64, "c5": 128
        channels} at strides 2, 4, 8, 16, 32.

    Reference: Poudel et al., 2019, https://arxiv.org/abs/1902.04502
    """
    check_output_stride(output_stride, "scnn", choices=(32,))
    image = keras.Input(input_shape, name="image")
    x = Normalize(MEAN, STD, name="normalize")(image)
    taps = {"c1": blocks.conv_norm_act(x, 32, strides=2, name="down1")}
    for level, filters in ((2, 48), (3, 64)):
        x, name = taps[f"c{level - 1}"], f"down{level}"
        # No ReLU between depthwise and pointwise convolution, as in the paper.
        x = blocks.depthwise_conv_norm_act(
            x, strides=2, activation=None, name=f"{name}_depthwise"
        )
        taps[f"c{level}"] = blocks.conv_norm_act(x, filters, 1, name=name)
    x = taps["c3"]
    # Channels and strides of the bottlenecks in table 1 of the paper.
    for stage, (filters, strides) in enumerate(((64, 2), (96, 2), (128, 1)), 1):
        for index in range(3):
            x = _bottleneck(
                x, filters, 1 if index else strides, name=f"stage{stage}_{index}"
            )
        taps["c4" if stage == 1 else "c5"] = x
    return load(keras.Model(image, taps, name="scnn"), weights)


def _bottleneck(x, filters, strides, *, name):
    """Expand sixfold, depthwise convolution, project; add the input if it fits."""
    y = blocks.conv_norm_act(x, 6 * x.shape[-1], 1, name=f"{name}_expand")
    y = blocks.depthwise_conv_norm_act(y, strides=strides, name=f"{name}_depthwise")
    y = blocks.conv_norm_act(y, filters, 1, activation=None, name=f"{name}_project")
    if strides > 1 or x.shape[-1] != filters:
        return y
    return layers.Add(name=f"{name}_add")([x, y])
