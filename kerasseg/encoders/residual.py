"""The contracting path of ResUNet: residual units with activation first."""

import keras
from keras import layers

from kerasseg import blocks
from kerasseg.encoders.atrous import check_output_stride
from kerasseg.encoders.pretrained import load
from kerasseg.encoders.traits import encoder
from kerasseg.layers import Normalize


def residual_unit(x, filters, *, strides=1, activate_first=True, norm="batch", name):
    """Two 3x3 convolutions, normalised and activated first, beside a 1x1 shortcut.

    Args:
        x: features [N, H, W, C].
        filters: channels of the result.
        activate_first: False for the first unit, which sees the image.
        norm: see `kerasseg.blocks.normalize`.
        name: prefix of the layers.

    Returns:
        Features [N, H / strides, W / strides, filters].
    """
    shortcut = blocks.conv_norm_act(
        x,
        filters,
        1,
        strides=strides,
        norm=norm,
        activation=None,
        name=f"{name}_shortcut",
    )
    if activate_first:
        x = blocks.normalize(x, norm, name=f"{name}_1_norm")
        x = blocks.activate(x, "relu", name=f"{name}_1")
    x = blocks.conv(x, filters, strides=strides, name=f"{name}_1_conv")
    x = blocks.normalize(x, norm, name=f"{name}_2_norm")
    x = blocks.activate(x, "relu", name=f"{name}_2")
    x = blocks.conv(x, filters, name=f"{name}_2_conv")
    return layers.Add(name=f"{name}_add")([x, shortcut])


@encoder(unit=residual_unit, dense=False)
def residual(
    input_shape=(None, None, 3),
    *,
    weights=None,
    output_stride=32,
    base_filters=64,
    depth=5,
    norm="batch",
):
    """Contracting path of ResUNet: one residual unit per level, strides, no pooling.

    Args:
        input_shape: (H, W, C), sizes may be None; raw pixels 0..255.
        weights: None or a path.
        output_stride: 32 only.
        base_filters: channels of `c0`; doubled at each level up to 16 times.
        depth: number of strides; the deepest tap is `c{depth}`.
        norm: "batch", "group", "layer" or None.

    Returns:
        keras.Model: image -> {"c0" (stride 1), ..., "c5" (stride 32)}.

    Reference: Zhang et al., 2018, https://arxiv.org/abs/1711.10684
    """
    check_output_stride(output_stride, "residual", choices=(32,))
    image = keras.Input(input_shape, name="image")
    x = Normalize(mean=127.5, std=127.5, name="normalize")(image)
    taps = {}
    for level in range(depth + 1):
        x = residual_unit(
            x,
            base_filters * min(2**level, 16),
            strides=2 if level else 1,
            # Nothing to activate in front of the first: an image is no feature.
            activate_first=level > 0,
            norm=norm,
            name=f"level{level}",
        )
        taps[f"c{level}"] = x
    return load(keras.Model(image, taps, name="residual"), weights)
