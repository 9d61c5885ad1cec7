"""The semantic branch of BiSeNetV2: gather, expand sixfold, project."""

import keras
from keras import layers

from kerasseg import blocks
from kerasseg.encoders.atrous import check_output_stride
from kerasseg.encoders.pretrained import load
from kerasseg.encoders.resnet import MEAN, STD
from kerasseg.encoders.traits import encoder
from kerasseg.layers import Normalize


@encoder(dense=False)
def gather_expand(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """The semantic branch of BiSeNetV2.

    Args:
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        weights: None or a path.
        output_stride: 32 only.

    Returns:
        keras.Model: image -> {"c1": 16, "c2": 16, "c3": 32, "c4": 64, "c5": 128
        channels} at strides 2, 4, 8, 16, 32.

    Reference: Yu et al., 2021, https://arxiv.org/abs/2004.02147
    """
    check_output_stride(output_stride, "gather_expand", choices=(32,))
    image = keras.Input(input_shape, name="image")
    x = Normalize(MEAN, STD, name="normalize")(image)
    taps = {"c1": blocks.conv_norm_act(x, 16, strides=2, name="stem")}
    taps["c2"] = _stem(taps["c1"])
    # Stages S3 to S5 in table 1 of the paper.
    for level, filters, depth in ((3, 32, 2), (4, 64, 2), (5, 128, 4)):
        x = taps[f"c{level - 1}"]
        for index in range(depth):
            name = f"stage{level}_{index}"
            x = _gather_expand(x, filters, 1 if index else 2, name=name)
        taps[f"c{level}"] = x
    taps["c5"] = _embed_context(x)
    return load(keras.Model(image, taps, name="gather_expand"), weights)


def _stem(x):
    """Halve by a convolution and by a pooling, side by side."""
    y = blocks.conv_norm_act(x, 8, 1, name="stem_left1")
    y = blocks.conv_norm_act(y, 16, strides=2, name="stem_left2")
    x = layers.ZeroPadding2D(1, name="stem_pool_pad")(x)  # after ReLU, 0 is the least
    x = layers.MaxPooling2D(3, 2, name="stem_pool")(x)
    x = layers.Concatenate(name="stem_concat")([y, x])
    return blocks.conv_norm_act(x, 16, name="stem_fuse")


def _gather_expand(x, filters, strides, *, name):
    """3x3, depthwise 3x3 to six times the channels, 1x1; a shortcut beside."""
    y = blocks.conv_norm_act(x, x.shape[-1], name=f"{name}_gather")
    # Sixfold by a depth multiplier: the 1x1 of MobileNetV2's expansion is saved, as the
    # paper's gather-and-expansion layer does.
    y = _depthwise(y, 6, strides, f"{name}_expand")
    if strides > 1:
        y = _depthwise(y, 1, 1, f"{name}_filter")
        x = _depthwise(x, 1, strides, f"{name}_shortcut1")
        x = blocks.conv_norm_act(
            x, filters, 1, activation=None, name=f"{name}_shortcut2"
        )
    y = blocks.conv_norm_act(y, filters, 1, activation=None, name=f"{name}_project")
    x = layers.Add(name=f"{name}_add")([x, y])
    return layers.Activation("relu", name=f"{name}_relu")(x)


def _depthwise(x, multiplier, strides, name):
    x, padding = blocks.pad_symmetric(x, 3, strides, 1, "symmetric", f"{name}_conv")
    x = layers.DepthwiseConv2D(
        3,
        strides=strides,
        padding=padding,
        depth_multiplier=multiplier,
        use_bias=False,
        depthwise_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return blocks.normalize(x, name=f"{name}_norm")


def _embed_context(x):
    """Add the average of the whole map to each position."""
    y = layers.GlobalAveragePooling2D(keepdims=True, name="context_pool")(x)
    # In training, statistics of one value per image: of a single image nothing is left
    # but the offset.
    y = blocks.normalize(y, name="context_pool_norm")
    y = blocks.conv_norm_act(y, x.shape[-1], 1, name="context_image")
    x = layers.Add(name="context_add")([x, y])
    return blocks.conv_norm_act(x, x.shape[-1], name="context")
