"""ResNeXt whose blocks weigh their channels (squeeze and excitation)."""

import functools

import keras
from keras import layers

from kerasseg import blocks
from kerasseg.encoders.atrous import check_output_stride
from kerasseg.encoders.pretrained import load
from kerasseg.encoders.resnet import (
    MEAN,
    STD,
    add_shortcut,
    bottleneck_branch,
    stages,
)
from kerasseg.encoders.traits import encoder
from kerasseg.layers import Normalize

REDUCTION = 16  # the paper's: channels per unit of the gate
DEPTHS = {"se_resnext50_32x4d": (3, 4, 6, 3), "se_resnext101_32x4d": (3, 4, 23, 3)}
# segmentation_models.pytorch and the authors of its files (pretrainedmodels)
START = r"^(?:encoder\.)?"
LAYER = rf"{START}layer([1-4])\.(\d+)\."
RULES = (
    (rf"{START}layer0\.conv1\.", "stem_conv."),
    (rf"{START}layer0\.bn1\.", "stem_norm."),
    (rf"{LAYER}conv(\d)\.", r"layer\1_\2_\3_conv."),
    (rf"{LAYER}bn(\d)\.", r"layer\1_\2_\3_norm."),
    (rf"{LAYER}se_module\.fc(\d)\.", r"layer\1_\2_gate_\3."),
    (rf"{LAYER}downsample\.0\.", r"layer\1_\2_shortcut_conv."),
    (rf"{LAYER}downsample\.1\.", r"layer\1_\2_shortcut_norm."),
    (r"^last_linear\.", None),
)


@encoder(rules=RULES)
def se_resnext50_32x4d(
    input_shape=(None, None, 3), *, weights=None, output_stride=32, dilate_first=False
):
    """SE-ResNeXt-50 32x4d, as in segmentation_models.pytorch.

    Its 3x3 convolutions have 32 groups, which TensorFlow compiles by XLA where it runs
    on a CPU, once for each image size (25,510,896 trainable parameters).

    Args:
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        weights: None or a path; smp's files lie at huggingface.co/smp-hub.
        output_stride: 32, 16 or 8; see `kerasseg.encoders.atrous`. Gates average a
            larger map where the features are dense, which alone changes them a little.
        dilate_first: also dilate the convolutions that gave up their stride, as
            segmentation_models.pytorch; the features are then not those at stride 32.

    Returns:
        keras.Model: image -> {"c1": 64, "c2": 256, "c3": 512, "c4": 1024, "c5": 2048
        channels} at strides 2, 4, 8, 16, 32, none beyond `output_stride`.

    Reference: Hu et al., 2018, https://arxiv.org/abs/1709.01507
    """
    options = (input_shape, weights, output_stride, dilate_first)
    return _se_resnext("se_resnext50_32x4d", *options)


@encoder(rules=RULES)
def se_resnext101_32x4d(
    input_shape=(None, None, 3), *, weights=None, output_stride=32, dilate_first=False
):
    """SE-ResNeXt-101 32x4d; arguments and taps as for `se_resnext50_32x4d`.

    Reference: Hu et al., 2018, https://arxiv.org/abs/1709.01507
    """
    options = (input_shape, weights, output_stride, dilate_first)
    return _se_resnext("se_resnext101_32x4d", *options)


def _se_resnext(name, input_shape, weights, output_stride, dilate_first):
    check_output_stride(output_stride, name)
    image = keras.Input(input_shape, name="image")
    x = Normalize(MEAN, STD, name="normalize")(image)
    x = blocks.conv_norm_act(x, 64, 7, strides=2, name="stem")
    taps = {"c1": x}
    # Caffe's rule: nothing in front, what is missing at the far side.
    x = layers.MaxPooling2D(3, 2, "same", name="stem_pool")(x)
    block = functools.partial(_gated_bottleneck, width=2, groups=32)
    options = {"dilate_first": dilate_first}
    taps |= stages(x, block, DEPTHS[name], output_stride, **options)
    return load(keras.Model(image, taps, name=name), weights, rules=RULES)


def _gated_bottleneck(x, filters, *, strides, norm, name, **options):
    y = bottleneck_branch(x, filters, strides=strides, norm=norm, name=name, **options)
    gate = blocks.channel_gate(y, y.shape[-1] // REDUCTION, name=f"{name}_gate")
    y = layers.Multiply(name=f"{name}_gated")([y, gate])
    return add_shortcut(x, y, strides, norm, name)
