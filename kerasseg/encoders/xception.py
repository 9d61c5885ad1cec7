"""Aligned Xception, the encoder of DeepLabv3+: strided convolutions, no pooling.

Laid out as the authors' TensorFlow implementation.
"""

import keras
from keras import layers

from kerasseg import blocks
from kerasseg.encoders.atrous import check_output_stride, stage_plan
from kerasseg.encoders.pretrained import load
from kerasseg.encoders.traits import encoder
from kerasseg.layers import Normalize

NORM = blocks.BatchNorm(epsilon=1e-3)  # the authors'
# (name, filters of the three convolutions, stride, shortcut)
ENTRY = (
    ("entry1", (128, 128, 128), 2, "conv"),
    ("entry2", (256, 256, 256), 2, "conv"),
    ("entry3", (728, 728, 728), 2, "conv"),
)
EXIT = (
    ("exit1", (728, 1024, 1024), 2, "conv"),
    ("exit2", (1536, 1536, 2048), 1, None),
)
# Taps inside a block, before its stride; "c4" and "c5" are behind middle and exit flow.
INNER_TAPS = {"entry2": "c2", "entry3": "c3"}


@encoder()
def xception41(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """Aligned Xception-41: half the middle flow of `xception65`, otherwise the same.

    Reference: Chen et al., 2018, https://arxiv.org/abs/1802.02611
    """
    return _xception("xception41", 8, input_shape, weights, output_stride)


@encoder()
def xception65(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """Aligned Xception-65 (38,052,512 parameters in all), symmetric padding.

    Args:
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        weights: None or a path.
        output_stride: 32, 16 or 8; see `kerasseg.encoders.atrous`.

    Returns:
        keras.Model: image -> {"c1": 64, "c2": 256, "c3": 728, "c4": 728, "c5": 2048
        channels} at strides 2, 4, 8, 16, 32, none beyond `output_stride`. "c2" and
        "c3" are the second convolutions of entry blocks 2 and 3, before the stride
        and the next ReLU; "c2" is the low-level feature of DeepLabv3+.

    Reference: Chen et al., 2018, https://arxiv.org/abs/1802.02611
    """
    return _xception("xception65", 16, input_shape, weights, output_stride)


def _xception(name, depth, input_shape, weights, output_stride):
    check_output_stride(output_stride, name)
    middle = [(f"middle{i}", (728, 728, 728), 1, "sum") for i in range(1, depth + 1)]
    stages = (*ENTRY, *middle, *EXIT)
    taps_behind = {f"middle{depth}": "c4", "exit2": "c5"}
    image = keras.Input(input_shape, name="image")
    # -1..1, as in the authors' implementation.
    x = Normalize(mean=127.5, std=127.5, name="normalize")(image)
    x = blocks.conv_norm_act(x, 32, strides=2, norm=NORM, name="stem1")
    x = blocks.conv_norm_act(x, 64, norm=NORM, name="stem2")
    taps = {"c1": x}
    plan = stage_plan([stride for _, _, stride, _ in stages], output_stride, start=2)
    for (block, filters, _, shortcut), (stride, dilation, _) in zip(stages, plan):
        x, unstrided = xception_block(
            x,
            filters,
            strides=stride,
            dilation=dilation,
            shortcut=shortcut,
            name=block,
        )
        if block in INNER_TAPS:
            taps[INNER_TAPS[block]] = unstrided
        if block in taps_behind:
            taps[taps_behind[block]] = x
    return load(keras.Model(image, taps, name=name), weights)


def xception_block(x, filters, *, strides, dilation, shortcut, name):
    """Three separable convolutions beside a shortcut; the third is strided.

    Args:
        x: features [N, H, W, C].
        filters: channels of the three convolutions.
        shortcut: "conv" (strided 1x1), "sum" (identity) or None; without a shortcut
            the ReLUs stand behind the convolutions, inside them too, not before.
        name: prefix of the layers.

    Returns:
        (features [N, H / strides, W / strides, C'], output of the second convolution).
    """
    inputs, outputs = x, []
    for index, channels in enumerate(filters, 1):
        if shortcut:
            x = blocks.activate(x, "relu", name=f"{name}_{index}")
        x = blocks.separable_conv(
            x,
            channels,
            strides=strides if index == 3 else 1,
            dilation=dilation,
            activation=None if shortcut else "relu",
            norm=NORM,
            name=f"{name}_{index}",
        )
        outputs.append(x)
    # The shortcut is strided like the third convolution: both look at the same pixels.
    if shortcut == "conv":
        inputs = blocks.conv_norm_act(
            inputs,
            filters[-1],
            1,
            strides=strides,
            activation=None,
            norm=NORM,
            name=f"{name}_shortcut",
        )
    # The last block has neither shortcut nor leading activations.
    if shortcut:
        x = layers.Add(name=f"{name}_add")([x, inputs])
    return x, outputs[1]
