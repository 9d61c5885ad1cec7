"""EfficientNet: layers and names of keras.applications."""

import math
import string

import keras
from keras import layers

from kerasseg import blocks
from kerasseg.encoders.atrous import check_output_stride, stage_plan
from kerasseg.encoders.inverted_residual import round_to_8
from kerasseg.encoders.pretrained import (
    KERAS,
    check_publisher,
    load_of_publisher,
    loader,
)
from kerasseg.encoders.resnet import MEAN, STD
from kerasseg.encoders.traits import encoder
from kerasseg.layers import Normalize
from kerasseg.weights import named_variables

# (repeats, kernel size, stride, expansion, filters), table 1 of the paper
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
LEVELS = {1: 1, 2: 2, 3: 3, 4: 5, 5: 7}  # the last stages before each stride
# Factors of filters and of repeats, and the sides of images in ImageNet.
SCALES = {
    "efficientnet_b0": (1.0, 1.0, 224),
    "efficientnet_b1": (1.0, 1.1, 240),
    "efficientnet_b2": (1.1, 1.2, 260),
    "efficientnet_b3": (1.2, 1.4, 300),
    "efficientnet_b4": (1.4, 1.8, 380),
    "efficientnet_b5": (1.6, 2.2, 456),
    "efficientnet_b6": (1.8, 2.6, 528),
    "efficientnet_b7": (2.0, 3.1, 600),
}
NORM = blocks.BatchNorm(epsilon=1e-3)  # of the published weights
SMP = "segmentation_models.pytorch"
# What of the files of keras.applications is not used here.
KERAS_RULES = ((r"^(normalization(_\d+)?|top_\w+|predictions)/", None),)


def _block_names(depth):
    """Names of blocks, "block1a" first, and the numbers of their stages."""
    return [
        (f"block{number}{string.ascii_lowercase[index]}", number)
        for number, (repeats, *_) in enumerate(STAGES, 1)
        for index in range(math.ceil(depth * repeats))
    ]


def _rules(depth):
    """Rules by publisher; those of smp fit files of efficientnet_pytorch, too."""
    start = r"^(?:encoder\.)?_"
    parts = {
        "expand_conv": "expand_conv",
        "bn0": "expand_bn",
        "depthwise_conv": "dwconv",
        "bn1": "bn",
        "se_reduce": "se_reduce",
        "se_expand": "se_expand",
        "project_conv": "project_conv",
        "bn2": "project_bn",
    }
    rules = [
        (rf"{start}blocks\.{index}\._{there}\.", f"{name}_{here}.")
        for index, (name, _) in enumerate(_block_names(depth))
        for there, here in parts.items()
    ]
    rules += [(rf"{start}conv_stem\.", "stem_conv."), (rf"{start}bn0\.", "stem_bn.")]
    return {KERAS: KERAS_RULES, SMP: (*rules, (rf"{start}(conv_head|bn1|fc)\.", None))}


def _facts(name):
    rules = _rules(SCALES[name][1])
    return {
        "publisher": KERAS,
        "rules": (*rules[KERAS], *rules[SMP]),
        "load": loader(rules),
        "as_published": {"smp": {"publisher": SMP}},
    }


@encoder(**_facts("efficientnet_b0"))
def efficientnet_b0(
    input_shape=(None, None, 3),
    *,
    weights=None,
    output_stride=32,
    dilate_first=False,
    publisher=KERAS,
):
    """EfficientNet-B0 up to the last projection (3,634,844 parameters in all).

    At sizes divisible by 32 it equals that of keras.applications. That of
    segmentation_models.pytorch has other taps, "c1" behind the stem (32 channels) and,
    of B0 alone, "c4" behind the first block of its stage; and it pads as at the size of
    its images in ImageNet, whatever the size of the image.

    Args:
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        weights: None, "imagenet" (the file of keras.applications, downloaded), a path.
        output_stride: 32, 16 or 8; see `kerasseg.encoders.atrous`.
        dilate_first: also dilate the convolutions that gave up their stride, as
            segmentation_models.pytorch; the features are then not those at stride 32.
        publisher: "keras.applications" or "segmentation_models.pytorch", whose network
            to build.

    Returns:
        keras.Model: image -> {"c1": 16, "c2": 24, "c3": 40, "c4": 112, "c5": 320
        channels} at strides 2, 4, 8, 16, 32, none beyond `output_stride`.
        Squeeze-excite averages a larger map where the features are dense, which alone
        changes them a little.

    Reference: Tan & Le, 2019, https://arxiv.org/abs/1905.11946
    """
    options = (input_shape, weights, output_stride, dilate_first, publisher)
    return _efficientnet("efficientnet_b0", *options)


@encoder(**_facts("efficientnet_b1"))
def efficientnet_b1(
    input_shape=(None, None, 3),
    *,
    weights=None,
    output_stride=32,
    dilate_first=False,
    publisher=KERAS,
):
    """EfficientNet-B1, see `efficientnet_b0`; `c1`..`c5` have 16 to 320 channels.

    Reference: Tan & Le, 2019, https://arxiv.org/abs/1905.11946
    """
    options = (input_shape, weights, output_stride, dilate_first, publisher)
    return _efficientnet("efficientnet_b1", *options)


@encoder(**_facts("efficientnet_b2"))
def efficientnet_b2(
    input_shape=(None, None, 3),
    *,
    weights=None,
    output_stride=32,
    dilate_first=False,
    publisher=KERAS,
):
    """EfficientNet-B2, see `efficientnet_b0`; `c1`..`c5` have 16 to 352 channels.

    Reference: Tan & Le, 2019, https://arxiv.org/abs/1905.11946
    """
    options = (input_shape, weights, output_stride, dilate_first, publisher)
    return _efficientnet("efficientnet_b2", *options)


@encoder(**_facts("efficientnet_b3"))
def efficientnet_b3(
    input_shape=(None, None, 3),
    *,
    weights=None,
    output_stride=32,
    dilate_first=False,
    publisher=KERAS,
):
    """EfficientNet-B3, see `efficientnet_b0`; `c1`..`c5` have 24 to 384 channels.

    Reference: Tan & Le, 2019, https://arxiv.org/abs/1905.11946
    """
    options = (input_shape, weights, output_stride, dilate_first, publisher)
    return _efficientnet("efficientnet_b3", *options)


@encoder(**_facts("efficientnet_b4"))
def efficientnet_b4(
    input_shape=(None, None, 3),
    *,
    weights=None,
    output_stride=32,
    dilate_first=False,
    publisher=KERAS,
):
    """EfficientNet-B4, see `efficientnet_b0`; `c1`..`c5` have 24 to 448 channels.

    Reference: Tan & Le, 2019, https://arxiv.org/abs/1905.11946
    """
    options = (input_shape, weights, output_stride, dilate_first, publisher)
    return _efficientnet("efficientnet_b4", *options)


@encoder(**_facts("efficientnet_b5"))
def efficientnet_b5(
    input_shape=(None, None, 3),
    *,
    weights=None,
    output_stride=32,
    dilate_first=False,
    publisher=KERAS,
):
    """EfficientNet-B5, see `efficientnet_b0`; `c1`..`c5` have 24 to 512 channels.

    Reference: Tan & Le, 2019, https://arxiv.org/abs/1905.11946
    """
    options = (input_shape, weights, output_stride, dilate_first, publisher)
    return _efficientnet("efficientnet_b5", *options)


@encoder(**_facts("efficientnet_b6"))
def efficientnet_b6(
    input_shape=(None, None, 3),
    *,
    weights=None,
    output_stride=32,
    dilate_first=False,
    publisher=KERAS,
):
    """EfficientNet-B6, see `efficientnet_b0`; `c1`..`c5` have 32 to 576 channels.

    Reference: Tan & Le, 2019, https://arxiv.org/abs/1905.11946
    """
    options = (input_shape, weights, output_stride, dilate_first, publisher)
    return _efficientnet("efficientnet_b6", *options)


@encoder(**_facts("efficientnet_b7"))
def efficientnet_b7(
    input_shape=(None, None, 3),
    *,
    weights=None,
    output_stride=32,
    dilate_first=False,
    publisher=KERAS,
):
    """EfficientNet-B7, see `efficientnet_b0`; `c1`..`c5` have 32 to 640 channels.

    Reference: Tan & Le, 2019, https://arxiv.org/abs/1905.11946
    """
    options = (input_shape, weights, output_stride, dilate_first, publisher)
    return _efficientnet("efficientnet_b7", *options)


def _efficientnet(name, input_shape, weights, output_stride, dilate_first, publisher):
    check_output_stride(output_stride, name)
    check_publisher(publisher, (KERAS, SMP), weights)
    image = keras.Input(input_shape, name="image")
    x = Normalize(MEAN, STD, name="normalize")(image)
    width, depth, side = SCALES[name]
    stem, *paddings = _paddings(side if publisher == SMP else None)
    options = {"strides": 2, "padding": stem, "use_bias": False, "name": "stem_conv"}
    x = blocks.conv(x, round_to_8(width * 32), **options)
    x = blocks.normalize(x, NORM, name="stem_bn")
    x = layers.Activation("swish", name="stem_activation")(x)
    outputs, names = {"stem": x}, _block_names(depth)
    taps = {f"c{level}": _last(names, stage) for level, stage in LEVELS.items()}
    if publisher == SMP:
        taps["c1"] = "stem"
    strides = [stage[2] for stage in STAGES]
    plan = stage_plan(strides, output_stride, start=2, dilate_first=dilate_first)
    for index, (block, number) in enumerate(names):
        _, kernel_size, _, expansion, filters = STAGES[number - 1]
        stride, first, dilation = plan[number - 1]
        if publisher == SMP and name == "efficientnet_b0" and number == 5:
            # There its fourth level ends with the first of these blocks, and the
            # others have the dilation of the fifth level.
            taps["c4"], dilation = "block5a", plan[5][2]
        is_first = block.endswith("a")
        outputs[block] = x = _block(
            x,
            (kernel_size, expansion, round_to_8(width * filters)),
            strides=stride if is_first else 1,
            dilation=first if is_first else dilation,
            padding=paddings[number - 1],
            drop=0.2 * index / len(names),  # deeper blocks are left out more often
            name=block,
        )
    taps = {level: outputs[block] for level, block in taps.items()}
    model = keras.Model(image, taps, name=name)
    if isinstance(weights, str) and weights == "imagenet":
        application = getattr(keras.applications, name.title().replace("net_", "Net"))
        source = application(include_top=False, weights=weights)
        known = named_variables(model)
        weights = {v.path: v.numpy() for v in source.weights if v.path in known}
    return load_of_publisher(model, weights, _rules(depth), publisher)


def _last(names, stage):
    return [block for block, number in names if number == stage][-1]


def _paddings(side):
    """Paddings of the stem and of each stage, for images of a side or of any."""
    for stride in (2, *(stage[2] for stage in STAGES)):
        # "same" puts the odd zero of even sides at the far end; odd sides have none.
        yield "same" if side is None or side % 2 == 0 else "symmetric"
        side = side and math.ceil(side / stride)


def _block(x, stage, *, strides, dilation, padding, drop, name):
    """Inverted residual with a squeeze-excite gate; `stage` is what all blocks share.

    Names are those of keras.applications, whose "{name}_bn" follows the depthwise one.
    """
    kernel_size, expansion, filters = stage
    inputs, squeezed = x, max(1, x.shape[-1] // 4)
    if expansion > 1:
        options = {"use_bias": False, "name": f"{name}_expand_conv"}
        x = blocks.conv(x, expansion * x.shape[-1], 1, **options)
        x = blocks.normalize(x, NORM, name=f"{name}_expand_bn")
        x = layers.Activation("swish", name=f"{name}_expand_activation")(x)
    x = blocks.depthwise_conv(
        x,
        kernel_size,
        strides=strides,
        dilation=dilation,
        padding=padding,
        use_bias=False,
        name=f"{name}_dwconv",
    )
    x = blocks.normalize(x, NORM, name=f"{name}_bn")
    x = layers.Activation("swish", name=f"{name}_activation")(x)
    pool = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_se_squeeze")
    gate = blocks.conv(pool(x), squeezed, 1, name=f"{name}_se_reduce")
    gate = layers.Activation("swish", name=f"{name}_se_activation")(gate)
    gate = blocks.conv(gate, x.shape[-1], 1, name=f"{name}_se_expand")
    gate = layers.Activation("sigmoid", name=f"{name}_se_sigmoid")(gate)
    x = layers.Multiply(name=f"{name}_se_excite")([x, gate])
    x = blocks.conv(x, filters, 1, use_bias=False, name=f"{name}_project_conv")
    x = blocks.normalize(x, NORM, name=f"{name}_project_bn")
    if strides == 1 and inputs.shape[-1] == filters:
        if drop:
            shape = (None, 1, 1, 1)  # whole samples
            x = layers.Dropout(drop, noise_shape=shape, name=f"{name}_drop")(x)
        x = layers.Add(name=f"{name}_add")([x, inputs])
    return x
