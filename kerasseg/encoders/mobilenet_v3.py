"""MobileNetV3, in torchvision's layout: symmetric padding, BN epsilon 1e-3."""

import keras
from keras import layers

from kerasseg import blocks
from kerasseg.encoders.atrous import check_output_stride, stage_plan
from kerasseg.encoders.inverted_residual import round_to_8
from kerasseg.encoders.pretrained import load
from kerasseg.encoders.resnet import MEAN, STD
from kerasseg.encoders.traits import encoder
from kerasseg.layers import Normalize

NORM = blocks.BatchNorm(epsilon=1e-3)
# (kernel size, expanded channels, channels, squeeze-excite, activation, stride)
LARGE = (
    (3, 16, 16, False, "relu", 1),
    (3, 64, 24, False, "relu", 2),
    (3, 72, 24, False, "relu", 1),
    (5, 72, 40, True, "relu", 2),
    (5, 120, 40, True, "relu", 1),
    (5, 120, 40, True, "relu", 1),
    (3, 240, 80, False, "hard_silu", 2),
    (3, 200, 80, False, "hard_silu", 1),
    (3, 184, 80, False, "hard_silu", 1),
    (3, 184, 80, False, "hard_silu", 1),
    (3, 480, 112, True, "hard_silu", 1),
    (3, 672, 112, True, "hard_silu", 1),
    (5, 672, 160, True, "hard_silu", 2),
    (5, 960, 160, True, "hard_silu", 1),
    (5, 960, 160, True, "hard_silu", 1),
)
SMALL = (
    (3, 16, 16, True, "relu", 2),
    (3, 72, 24, False, "relu", 2),
    (3, 88, 24, False, "relu", 1),
    (5, 96, 40, True, "hard_silu", 2),
    (5, 240, 40, True, "hard_silu", 1),
    (5, 240, 40, True, "hard_silu", 1),
    (5, 120, 48, True, "hard_silu", 1),
    (5, 144, 48, True, "hard_silu", 1),
    (5, 288, 96, True, "hard_silu", 2),
    (5, 576, 96, True, "hard_silu", 1),
    (5, 576, 96, True, "hard_silu", 1),
)
# Numbers of the blocks whose output is a tap, 0 is the stem; the last 1x1 is "c5".
LARGE_TAPS = {1: "c1", 3: "c2", 4: "c3", 12: "c4"}
SMALL_TAPS = {0: "c1", 1: "c2", 3: "c3", 8: "c4"}


def _rules(table):
    """Names in torchvision's files, whose blocks number only the parts they have."""
    start = r"^(?:backbone|features)\."
    rules = [(r"^classifier\.\d\.(weight|bias)$", None)]
    for index, name in ((0, "stem"), (len(table) + 1, "last")):
        rules.append((rf"{start}{index}\.0\.", f"{name}_conv."))
        rules.append((rf"{start}{index}\.1\.", f"{name}_norm."))
    previous = 16  # channels of the stem
    for number, (_, expanded, filters, gate, _, _) in enumerate(table, 1):
        parts = ["expand"] if expanded != previous else []
        parts += ["depthwise", "gate"] if gate else ["depthwise"]
        for index, part in enumerate([*parts, "project"]):
            theirs, ours = rf"{start}{number}\.block\.{index}", f"block{number}_{part}"
            if part == "gate":
                rules.append((rf"{theirs}\.fc(\d)\.", rf"{ours}_\1."))
            else:
                rules.append((rf"{theirs}\.0\.", f"{ours}_conv."))
                rules.append((rf"{theirs}\.1\.", f"{ours}_norm."))
        previous = filters
    return tuple(rules)


# Where the two differ, so do the names, which tell convolutions from gates.
RULES = (*_rules(LARGE), *_rules(SMALL))


@encoder(publisher="torchvision", rules=RULES)
def mobilenet_v3_large(
    input_shape=(None, None, 3), *, weights=None, output_stride=32, dilate_first=False
):
    """MobileNetV3-Large of torchvision, without its classifier.

    Args:
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        weights: None, "imagenet" (torchvision's file, downloaded) or a path.
        output_stride: 32, 16 or 8; see `kerasseg.encoders.atrous`.
        dilate_first: also dilate the convolutions that gave up their stride, as
            torchvision's dense form; the features are then not those at stride 32.

    Returns:
        keras.Model: image -> {"c1": 16, "c2": 24, "c3": 40, "c4": 112, "c5": 960
        channels} at strides 2, 4, 8, 16, 32, none beyond `output_stride`. "c3" is the
        first block of its stage, where torchvision's segmentation heads look; the
        others are the last.

    Reference: Howard et al., 2019, https://arxiv.org/abs/1905.02244
    """
    options = (input_shape, weights, output_stride, dilate_first)
    return _mobilenet_v3("mobilenet_v3_large", LARGE, LARGE_TAPS, *options)


@encoder(publisher="torchvision", rules=RULES)
def mobilenet_v3_small(
    input_shape=(None, None, 3), *, weights=None, output_stride=32, dilate_first=False
):
    """MobileNetV3-Small; arguments as for `mobilenet_v3_large`.

    Its taps have 16, 16, 24, 48 and 576 channels, each behind the last block of its
    stage; "c1" is the stem.

    Reference: Howard et al., 2019, https://arxiv.org/abs/1905.02244
    """
    options = (input_shape, weights, output_stride, dilate_first)
    return _mobilenet_v3("mobilenet_v3_small", SMALL, SMALL_TAPS, *options)


def _mobilenet_v3(
    name, table, levels, input_shape, weights, output_stride, dilate_first
):
    check_output_stride(output_stride, name)
    image = keras.Input(input_shape, name="image")
    x = Normalize(MEAN, STD, name="normalize")(image)
    options = {"activation": "hard_silu", "norm": NORM}
    x = blocks.conv_norm_act(x, 16, strides=2, name="stem", **options)
    outputs = [x]
    strides = [block[-1] for block in table]
    plan = stage_plan(strides, output_stride, start=2, dilate_first=dilate_first)
    for number, (block, (stride, dilation, _)) in enumerate(zip(table, plan), 1):
        x = _block(x, block, stride, dilation, name=f"block{number}")
        outputs.append(x)
    taps = {level: outputs[number] for number, level in levels.items()}
    filters = 6 * x.shape[-1]  # 960 and 576, table 1 and 2 of the paper
    taps["c5"] = blocks.conv_norm_act(x, filters, 1, name="last", **options)
    model = keras.Model(image, taps, name=name)
    return load(model, weights, rules=RULES)


def _block(x, block, strides, dilation, *, name):
    kernel_size, expanded, filters, gated, activation, nominal_stride = block
    inputs = x
    options = {"activation": activation, "norm": NORM}
    if expanded != x.shape[-1]:
        x = blocks.conv_norm_act(x, expanded, 1, name=f"{name}_expand", **options)
    x = blocks.depthwise_conv_norm_act(
        x,
        kernel_size,
        strides=strides,
        dilation=dilation,
        name=f"{name}_depthwise",
        **options,
    )
    if gated:
        squeezed = round_to_8(expanded // 4)
        gate = blocks.channel_gate(
            x, squeezed, activation="hard_sigmoid", name=f"{name}_gate"
        )
        x = layers.Multiply(name=f"{name}_gated")([x, gate])
    options["activation"] = None
    x = blocks.conv_norm_act(x, filters, 1, name=f"{name}_project", **options)
    # The nominal stride, as in torchvision: giving it up adds no shortcut.
    if nominal_stride == 1 and inputs.shape[-1] == filters:
        x = layers.Add(name=f"{name}_add")([inputs, x])
    return x
