"""ResNet-D in timm's layout: no step of the network leaves pixels unread."""

import functools

import keras

from kerasseg.encoders.atrous import check_output_stride
from kerasseg.encoders.pretrained import load
from kerasseg.encoders.resnet import (
    DEPTHS,
    MEAN,
    RULES,
    START,
    STD,
    bottleneck,
    deep_stem,
    stages,
    stem_pool,
)
from kerasseg.encoders.traits import encoder
from kerasseg.layers import Normalize

# What differs from names in torchvision's files.
D_RULES = (
    *(
        (rf"{START}conv1\.{3 * step + part}\.", f"stem{step + 1}_{kind}.")
        for step in range(3)
        for part, kind in enumerate(("conv", "norm"))
    ),
    (rf"{START}bn1\.", "stem3_norm."),
    (rf"{START}layer(\d)\.0\.downsample\.1\.", r"layer\1_0_shortcut_conv."),
    (rf"{START}layer(\d)\.0\.downsample\.2\.", r"layer\1_0_shortcut_norm."),
    *RULES,
)


@encoder(publisher="timm", rules=D_RULES, dense=False)
def resnet50d(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """ResNet-50-D of timm (23,527,264 trainable parameters).

    A ResNet-50 with three 3x3 convolutions in place of the first 7x7, whose shortcuts
    halve the image by 2x2 averages.

    Args:
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        weights: None, "imagenet" (timm's file, downloaded) or a path.
        output_stride: 32 only.

    Returns:
        keras.Model: image -> {"c1": 64, "c2": 256, "c3": 512, "c4": 1024, "c5": 2048
        channels} at strides 2, 4, 8, 16, 32.

    Reference: He et al., 2019, https://arxiv.org/abs/1812.01187
    """
    check_output_stride(output_stride, "resnet50d", (32,))
    image = keras.Input(input_shape, name="image")
    x = Normalize(MEAN, STD, name="normalize")(image)
    x = deep_stem(x)
    block = functools.partial(bottleneck, average=True)
    taps = {"c1": x} | stages(stem_pool(x), block, DEPTHS["resnet50"], 32)
    return load(keras.Model(image, taps, name="resnet50d"), weights, rules=D_RULES)
