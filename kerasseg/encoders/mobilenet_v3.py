"""MobileNetV3-Large, in torchvision's layout: symmetric padding, BN epsilon 1e-3.

Reference: Howard et al., 2019, https://arxiv.org/abs/1905.02244
"""

import keras
from keras import layers

from kerasseg import blocks
from kerasseg.encoders.atrous import check_output_stride, stage_plan
from kerasseg.encoders.pretrained import load
from kerasseg.encoders.resnet import MEAN, STD
from kerasseg.layers import Normalize

EPSILON = 1e-3
# (kernel size, expanded channels, channels, squeeze-excite, activation, stride)
BLOCKS = (
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
# Numbers of the blocks whose output is a tap; see `mobilenet_v3_large` about "c3".
TAPS = {1: "c1", 3: "c2", 4: "c3", 12: "c4"}
URL = "https://download.pytorch.org/models/mobilenet_v3_large-5c1a4163.pth"


def _rules():
    """Names in torchvision's files, whose blocks number only the parts they have."""
    start = r"^(?:backbone|features)\."
    rules = [(r"^classifier\.\d\.(weight|bias)$", None)]
    for index, name in ((0, "stem"), (len(BLOCKS) + 1, "last")):
        rules.append((rf"{start}{index}\.0\.", f"{name}_conv."))
        rules.append((rf"{start}{index}\.1\.", f"{name}_norm."))
    previous = 16
    for number, (_, expanded, filters, gate, _, _) in enumerate(BLOCKS, 1):
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


RULES = _rules()


def mobilenet_v3_large(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """MobileNetV3-Large of torchvision, without its classifier.

    Args:
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        weights: None, "imagenet" (torchvision's file, downloaded) or a path.
        output_stride: 32, 16 or 8; see `kerasseg.encoders.atrous`. torchvision's dense
            form also dilates the convolution that gave up its stride; ours does not,
            because then its features would not be those of the strided network.

    Returns:
        keras.Model: image -> {"c1": 16, "c2": 24, "c3": 40, "c4": 112, "c5": 960
        channels} at strides 2, 4, 8, 16, 32, none beyond `output_stride`. "c3" is the
        first block of its stage, where torchvision's segmentation heads look; the
        others are the last.

    Reference: Howard et al., 2019, https://arxiv.org/abs/1905.02244
    """
    name = "mobilenet_v3_large"
    check_output_stride(output_stride, name)
    image = keras.Input(input_shape, name="image")
    x = Normalize(MEAN, STD, name="normalize")(image)
    options = {"activation": "hard_silu", "epsilon": EPSILON}
    x = blocks.conv_norm_act(x, 16, strides=2, name="stem", **options)
    taps = {}
    plan = stage_plan([block[-1] for block in BLOCKS], output_stride, start=2)
    for number, (block, (stride, dilation, _)) in enumerate(zip(BLOCKS, plan), 1):
        x = _block(x, block, stride, dilation, name=f"block{number}")
        if number in TAPS:
            taps[TAPS[number]] = x
    taps["c5"] = blocks.conv_norm_act(x, 960, 1, name="last", **options)
    return load(keras.Model(image, taps, name=name), weights, url=URL, rules=RULES)


def _block(x, block, strides, dilation, *, name):
    kernel_size, expanded, filters, gated, activation, nominal_stride = block
    inputs = x
    options = {"activation": activation, "epsilon": EPSILON}
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
        squeezed = _round_to_8(expanded // 4)
        gate = blocks.channel_gate(
            x, squeezed, activation="hard_sigmoid", name=f"{name}_gate"
        )
        x = layers.Multiply(name=f"{name}_gated")([x, gate])
    options["activation"] = None
    x = blocks.conv_norm_act(x, filters, 1, name=f"{name}_project", **options)
    if nominal_stride == 1 and inputs.shape[-1] == filters:
        x = layers.Add(name=f"{name}_add")([inputs, x])
    return x


def _round_to_8(channels):
    """The nearest multiple of 8 that is not more than a tenth smaller."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * channels else rounded + 8
