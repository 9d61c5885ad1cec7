"""Residual U-blocks: small U-Nets stacked into the encoder of U2-Net."""

import keras
from keras import layers

from kerasseg import blocks
from kerasseg.encoders.atrous import check_output_stride
from kerasseg.encoders.pretrained import load
from kerasseg.encoders.resnet import MEAN, STD
from kerasseg.encoders.traits import encoder
from kerasseg.layers import Normalize, ResizeLike

HEIGHTS = (7, 6, 5, 4, 0, 0)  # of the blocks at strides 1 to 32; 0 is dilated instead
RULES = (
    (r"^stage(\d)\.rebnconv(\w+)\.conv_s1\.", r"stage\1_\2_conv."),
    (r"^stage(\d)\.rebnconv(\w+)\.bn_s1\.", r"stage\1_\2_norm."),
)


@encoder(rules=RULES, dense=False)
def rsu(
    input_shape=(None, None, 3),
    *,
    weights=None,
    output_stride=32,
    filters=(64, 128, 256, 512, 512, 512),
    inner_filters=(32, 32, 64, 128, 256, 256),
):
    """Contracting path of U2-Net: a residual U-block per level.

    Args:
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        weights: None or a path.
        output_stride: 32 only.
        filters: channels of the taps; (64,) * 6 for the small U2-Net.
        inner_filters: channels inside the blocks; (16,) * 6 for the small U2-Net.

    Returns:
        keras.Model: image -> {"c0" (stride 1), ..., "c5" (stride 32)}.

    Reference: Qin et al., 2020, https://arxiv.org/abs/2005.09007
    """
    check_output_stride(output_stride, "rsu", choices=(32,))
    image = keras.Input(input_shape, name="image")
    x = Normalize(MEAN, STD, name="normalize")(image)
    taps = {}
    for level, height in enumerate(HEIGHTS):
        if level:
            x = layers.MaxPooling2D(2, padding="same", name=f"pool{level}")(x)
        name = f"stage{level + 1}"
        x = rsu_block(x, filters[level], inner_filters[level], height, name=name)
        taps[f"c{level}"] = x
    return load(keras.Model(image, taps, name="rsu"), weights, rules=RULES)


def rsu_block(x, filters, inner_filters, height, *, name):
    """A U-Net of `height` levels added to its own input convolution.

    Args:
        x: features [N, H, W, C].
        filters: channels of the result.
        inner_filters: channels inside.
        height: levels; 0 keeps the size and dilates by 1, 2, 4 and 8 instead.
        name: prefix; layers `{name}_in_conv`, `{name}_1_conv`, `{name}_1d_conv`, ...

    Returns:
        Features [N, H, W, filters].
    """
    pools = height > 0
    # The bottom of the U is dilated instead of pooled once more.
    dilations = [1] * (height - 1) + [2] if pools else [1, 2, 4, 8]
    x = inputs = _step(x, filters, 1, f"{name}_in")
    skips = []
    for index, dilation in enumerate(dilations, 1):
        if pools and 1 < index < height:
            pool = layers.MaxPooling2D(2, padding="same", name=f"{name}_pool{index}")
            x = pool(x)
        x = _step(x, inner_filters, dilation, f"{name}_{index}")
        skips.append(x)
    x = skips.pop()
    for index in range(len(skips), 0, -1):
        skip = skips[index - 1]
        layer = f"{name}_{index}d"
        if pools:
            x = ResizeLike(name=f"{layer}_up")([x, skip])
        x = layers.Concatenate(name=f"{layer}_skip")([x, skip])
        channels = filters if index == 1 else inner_filters
        dilation = 1 if pools else dilations[index - 1]
        x = _step(x, channels, dilation, layer)
    return layers.Add(name=f"{name}_add")([x, inputs])


def _step(x, filters, dilation, name):
    """The published networks have a bias even where a normalisation follows."""
    x = blocks.conv(x, filters, dilation=dilation, name=f"{name}_conv")
    x = blocks.normalize(x, name=f"{name}_norm")
    return blocks.activate(x, "relu", name=name)
