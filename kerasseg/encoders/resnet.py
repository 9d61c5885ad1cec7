"""ResNet, in torchvision's layout: stride in the 3x3, no convolution biases."""

import functools

import keras
from keras import layers

from kerasseg import blocks
from kerasseg.encoders.atrous import check_output_stride, stage_plan
from kerasseg.encoders.pretrained import load
from kerasseg.encoders.traits import encoder
from kerasseg.layers import AtrousConv2D, Normalize

# ImageNet's statistics, 255 times torchvision's: 0.485, 0.456, 0.406; 0.229, ...
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
# Names of torchvision's state dict -> names of our layers.
# In torchvision's detectors, its segmentation models, segmentation_models.pytorch, and
# there around timm's encoders.
START = r"^(?:backbone\.body\.|backbone\.|encoder\.model\.|encoder\.)?"
RULES = (
    *(  # mmsegmentation's V1c
        (rf"{START}stem\.{3 * step + part}\.", f"stem{step + 1}_{kind}.")
        for step in range(3)
        for part, kind in enumerate(("conv", "norm"))
    ),
    (rf"{START}conv1\.", "stem_conv."),
    (rf"{START}bn1\.", "stem_norm."),
    (rf"{START}layer(\d)\.(\d+)\.conv(\d)\.", r"layer\1_\2_\3_conv."),
    (rf"{START}layer(\d)\.(\d+)\.bn(\d)\.", r"layer\1_\2_\3_norm."),
    (rf"{START}layer(\d)\.0\.downsample\.0\.", r"layer\1_0_shortcut_conv."),
    (rf"{START}layer(\d)\.0\.downsample\.1\.", r"layer\1_0_shortcut_norm."),
    (r"^fc\.", None),
)
DEPTHS = {  # blocks of the four stages
    "resnet18": (2, 2, 2, 2),
    "resnet34": (3, 4, 6, 3),
    "resnet50": (3, 4, 6, 3),
    "resnet101": (3, 4, 23, 3),
    "resnet152": (3, 8, 36, 3),
    "resnext50_32x4d": (3, 4, 6, 3),
    "wide_resnet50_2": (3, 4, 6, 3),
}
NAMES = tuple(DEPTHS)


@encoder(publisher="torchvision", rules=RULES)
def resnet18(
    input_shape=(None, None, 3), *, weights=None, output_stride=32, dilate_first=False
):
    """ResNet-18; arguments as for `resnet50`, `c2`..`c5` have 64 to 512 channels.

    Reference: He et al., 2016, https://arxiv.org/abs/1512.03385
    """
    options = (input_shape, weights, output_stride, dilate_first)
    return _resnet("resnet18", basic_block, options)


@encoder(publisher="torchvision", rules=RULES)
def resnet34(
    input_shape=(None, None, 3), *, weights=None, output_stride=32, dilate_first=False
):
    """ResNet-34; arguments as for `resnet50`, `c2`..`c5` have 64 to 512 channels.

    Reference: He et al., 2016, https://arxiv.org/abs/1512.03385
    """
    options = (input_shape, weights, output_stride, dilate_first)
    return _resnet("resnet34", basic_block, options)


@encoder(publisher="torchvision", rules=RULES)
def resnet50(
    input_shape=(None, None, 3),
    *,
    weights=None,
    output_stride=32,
    dilate_first=False,
    deep_stem=False,
    norm_epsilon=1e-5,
    mean=MEAN,
    std=STD,
):
    """ResNet-50 of torchvision (23,508,032 trainable parameters).

    Args:
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        weights: None, "imagenet" (torchvision's file, downloaded) or a path.
        output_stride: 32, 16 or 8; see `kerasseg.encoders.atrous`.
        dilate_first: also dilate the convolutions that gave up their stride, as
            segmentation_models.pytorch; the features are then not those at stride 32.
        deep_stem: three 3x3 convolutions in place of the first 7x7, as in
            mmsegmentation's "V1c" (23,527,264 trainable parameters).
        norm_epsilon: of the normalisations; 0 in torchvision's Mask R-CNN for COCO.
        mean, std: of the images by channel, 0..255; rounded otherwise for YOLACT.

    Returns:
        keras.Model: image -> {"c1": 64, "c2": 256, "c3": 512, "c4": 1024, "c5": 2048
        channels} at strides 2, 4, 8, 16, 32, none beyond `output_stride`.

    Reference: He et al., 2016, https://arxiv.org/abs/1512.03385
    """
    options = (input_shape, weights, output_stride, dilate_first)
    own = {"deep": deep_stem, "norm_epsilon": norm_epsilon}
    return _resnet("resnet50", bottleneck, options, statistics=(mean, std), **own)


@encoder(publisher="torchvision", rules=RULES)
def resnet101(
    input_shape=(None, None, 3),
    *,
    weights=None,
    output_stride=32,
    dilate_first=False,
    deep_stem=False,
    mean=MEAN,
    std=STD,
):
    """ResNet-101; arguments and taps as for `resnet50`.

    Reference: He et al., 2016, https://arxiv.org/abs/1512.03385
    """
    options = (input_shape, weights, output_stride, dilate_first)
    own = {"deep": deep_stem, "statistics": (mean, std)}
    return _resnet("resnet101", bottleneck, options, **own)


@encoder(publisher="torchvision", rules=RULES)
def resnet152(
    input_shape=(None, None, 3), *, weights=None, output_stride=32, dilate_first=False
):
    """ResNet-152; arguments and taps as for `resnet50`.

    Reference: He et al., 2016, https://arxiv.org/abs/1512.03385
    """
    options = (input_shape, weights, output_stride, dilate_first)
    return _resnet("resnet152", bottleneck, options)


@encoder(publisher="torchvision", rules=RULES)
def resnext50_32x4d(
    input_shape=(None, None, 3), *, weights=None, output_stride=32, dilate_first=False
):
    """ResNeXt-50 32x4d of torchvision; arguments and taps as for `resnet50`.

    Its 3x3 convolutions have twice the channels, in 32 groups (22,979,904 trainable
    parameters). TensorFlow compiles those by XLA where it runs on a CPU, once for
    each image size.

    Reference: Xie et al., 2017, https://arxiv.org/abs/1611.05431
    """
    block = functools.partial(bottleneck, width=2, groups=32)
    options = (input_shape, weights, output_stride, dilate_first)
    return _resnet("resnext50_32x4d", block, options)


@encoder(publisher="torchvision", rules=RULES)
def wide_resnet50_2(
    input_shape=(None, None, 3), *, weights=None, output_stride=32, dilate_first=False
):
    """Wide ResNet-50-2 of torchvision; arguments and taps as for `resnet50`.

    Its 3x3 convolutions have twice the channels (66,834,240 trainable parameters).

    Reference: Zagoruyko & Komodakis, 2016, https://arxiv.org/abs/1605.07146
    """
    block = functools.partial(bottleneck, width=2)
    options = (input_shape, weights, output_stride, dilate_first)
    return _resnet("wide_resnet50_2", block, options)


def _resnet(
    name,
    block,
    options,
    *,
    deep=False,
    norm_epsilon=1e-5,
    statistics=(MEAN, STD),
):
    input_shape, weights, output_stride, dilate_first = options
    check_output_stride(output_stride, name)
    image = keras.Input(input_shape, name="image")
    x = Normalize(*statistics, name="normalize")(image)
    norm = blocks.BatchNorm(norm_epsilon)
    if deep:
        x = deep_stem(x, norm)
    else:
        x = blocks.conv_norm_act(x, 64, 7, strides=2, norm=norm, name="stem")
    options = {"dilate_first": dilate_first, "norm": norm}
    taps = stages(stem_pool(x), block, DEPTHS[name], output_stride, **options)
    taps = {"c1": x, **taps}
    model = keras.Model(image, taps, name=name)
    return load(model, weights, rules=RULES)


def deep_stem(x, norm="batch"):
    """Three 3x3 convolutions to half the size, with the receptive field of one 7x7."""
    for step, (filters, strides) in enumerate(((32, 2), (32, 1), (64, 1)), 1):
        options = {"strides": strides, "norm": norm, "name": f"stem{step}"}
        x = blocks.conv_norm_act(x, filters, **options)
    return x


def stem_pool(x):
    """Maxima of 3x3 at half the size, padded alike on all sides."""
    x = layers.ZeroPadding2D(1, name="stem_pool_pad")(x)  # after ReLU, 0 is the least
    return layers.MaxPooling2D(3, 2, name="stem_pool")(x)


def stages(x, block, depths, output_stride, *, dilate_first=False, norm="batch"):
    """Four stages of residual blocks, from features at stride 4.

    Args:
        x: features [N, H / 4, W / 4, C].
        block: `basic_block`, `bottleneck` or a function of the same arguments.
        depths: blocks of each stage.
        output_stride: stride at which the features stop shrinking.
        dilate_first: see `kerasseg.encoders.atrous.stage_plan`.
        norm: see `kerasseg.blocks.normalize`.

    Returns:
        dict "c2".."c5".
    """
    taps = {}
    plan = stage_plan([1, 2, 2, 2], output_stride, start=4, dilate_first=dilate_first)
    for stage, (depth, (stride, first, dilation)) in enumerate(zip(depths, plan), 1):
        for index in range(depth):
            x = block(
                x,
                32 * 2**stage,  # 64 to 512
                strides=1 if index else stride,
                dilations=(dilation if index else first, dilation),
                norm=norm,
                name=f"layer{stage}_{index}",
            )
        taps[f"c{stage + 1}"] = x
    return taps


def basic_block(x, filters, *, strides=1, dilations=(1, 1), norm="batch", name):
    """Two 3x3 convolutions beside a shortcut; `dilations` of the first and second."""
    options = {"dilation": dilations[0], "norm": norm, "name": f"{name}_1"}
    y = blocks.conv_norm_act(x, filters, strides=strides, **options)
    options = {"dilation": dilations[1], "norm": norm, "name": f"{name}_2"}
    y = blocks.conv_norm_act(y, filters, activation=None, **options)
    return add_shortcut(x, y, strides, norm, name)


def bottleneck(x, filters, *, strides=1, norm="batch", average=False, name, **options):
    """`bottleneck_branch`, with its options, beside a shortcut.

    `average` halves the shortcut by averages, instead of leaving out pixels.
    """
    y = bottleneck_branch(x, filters, strides=strides, norm=norm, name=name, **options)
    if average and strides > 1:
        # Not counting what is padded, as PyTorch's ceil_mode without it.
        pool = layers.AveragePooling2D(2, padding="same", name=f"{name}_shortcut_pool")
        x, strides = pool(x), 1
    return add_shortcut(x, y, strides, norm, name)


def bottleneck_branch(
    x,
    filters,
    *,
    strides=1,
    dilations=(1, 1),
    norm="batch",
    width=1,
    groups=1,
    name,
):
    """1x1, 3x3, 1x1 to four times the filters; the 3x3 has the first dilation.

    `width` multiplies the channels of the 3x3, `groups` divides them into parts.
    """
    y = blocks.conv_norm_act(x, width * filters, 1, norm=norm, name=f"{name}_1")
    options = {"strides": strides, "dilation": dilations[0], "norm": norm}
    options["name"] = f"{name}_2"
    if groups > 1:
        y = _grouped_conv(y, groups, **options)
    else:
        # torchvision strides in the 3x3, the paper in the first 1x1; published weights
        # of either do not fit the other.
        y = blocks.conv_norm_act(y, width * filters, **options)
    options = {"norm": norm, "activation": None, "name": f"{name}_3"}
    return blocks.conv_norm_act(y, 4 * filters, 1, **options)


def _grouped_conv(x, groups, *, strides, dilation, norm, name):
    """3x3 within parts of the channels, normalised and activated (ResNeXt)."""
    x, padding = blocks.pad_symmetric(
        x, 3, strides, dilation, "symmetric", f"{name}_conv"
    )
    layer = layers.Conv2D if dilation == 1 else AtrousConv2D
    x = layer(
        x.shape[-1],
        3,
        strides=strides,
        dilation_rate=dilation,
        groups=groups,
        padding=padding,
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    x = blocks.normalize(x, norm, name=f"{name}_norm")
    return blocks.activate(x, "relu", name=name)


def add_shortcut(x, y, strides, norm, name):
    """Add a branch to its input, which is projected where its shape is another."""
    if strides > 1 or x.shape[-1] != y.shape[-1]:
        x = blocks.conv_norm_act(
            x,
            y.shape[-1],
            1,
            strides=strides,
            norm=norm,
            activation=None,
            name=f"{name}_shortcut",
        )
    y = layers.Add(name=f"{name}_add")([x, y])
    return layers.Activation("relu", name=f"{name}_relu")(y)
