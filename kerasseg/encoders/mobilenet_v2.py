"""MobileNetV2 with the ImageNet weights of keras.applications."""

import keras

from kerasseg import blocks
from kerasseg.encoders.atrous import check_output_stride
from kerasseg.encoders.inverted_residual import (
    PYTORCH,
    TENSORFLOW,
    inverted_residuals,
)
from kerasseg.encoders.pretrained import (
    KERAS,
    check_publisher,
    load_of_publisher,
    loader,
)
from kerasseg.encoders.resnet import MEAN, STD
from kerasseg.encoders.traits import encoder
from kerasseg.layers import Normalize

# (repeats, kernel size, stride, expansion, filters), table 2 of the paper
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (3, 3, 2, 6, 32),
    (4, 3, 2, 6, 64),
    (3, 3, 1, 6, 96),
    (3, 3, 2, 6, 160),
    (1, 3, 1, 6, 320),
)
# Layer names of keras.applications -> ours; its last 1x1 and classifier are not used.
KERAS_RULES = (
    (r"^Conv1/", "stem_conv/"),
    (r"^bn_Conv1/", "stem_norm/"),
    (r"^expanded_conv_(\w+)_BN/", r"block0_\1_norm/"),
    (r"^expanded_conv_(\w+)/", r"block0_\1_conv/"),
    (r"^block_(\d+)_(\w+)_BN/", r"block\1_\2_norm/"),
    (r"^block_(\d+)_(\w+)/", r"block\1_\2_conv/"),
    (r"^(Conv_1|predictions)", None),
)


def _torch_rules():
    """Names in files of torchvision and segmentation_models.pytorch."""
    start = r"^(?:backbone\.|encoder\.)?features"
    rules = [(r"^classifier\.", None)]
    for index, name in ((0, "stem"), (18, "last")):
        rules += [(rf"{start}\.{index}\.0\.", f"{name}_conv.")]
        rules += [(rf"{start}\.{index}\.1\.", f"{name}_norm.")]
    for index in range(1, 18):
        # The first block has nothing to expand, and its parts begin one earlier.
        parts = ["depthwise"] if index == 1 else ["expand", "depthwise"]
        here, there = f"block{index - 1}", rf"{start}\.{index}\.conv"
        for number, part in enumerate(parts):
            rules += [(rf"{there}\.{number}\.0\.", f"{here}_{part}_conv.")]
            rules += [(rf"{there}\.{number}\.1\.", f"{here}_{part}_norm.")]
        rules += [(rf"{there}\.{len(parts)}\.", f"{here}_project_conv.")]
        rules += [(rf"{there}\.{len(parts) + 1}\.", f"{here}_project_norm.")]
    return tuple(rules)


RULES = {KERAS: KERAS_RULES, "torchvision": _torch_rules()}
# (mean, std) of the normalisation, and how convolutions pad. -1..1 is that of
# keras.applications.mobilenet_v2.preprocess_input.
PUBLISHERS = {
    KERAS: ((127.5, 127.5), TENSORFLOW),
    "torchvision": ((MEAN, STD), PYTORCH),
}


@encoder(
    publisher=KERAS,
    rules=(*KERAS_RULES, *RULES["torchvision"]),
    load=loader(RULES),
    as_published={"smp": {"publisher": "torchvision"}},
)
def mobilenet_v2(
    input_shape=(None, None, 3),
    *,
    weights=None,
    output_stride=32,
    dilate_first=False,
    publisher=KERAS,
):
    """MobileNetV2 without its last 1x1 convolution (1,843,264 parameters in all).

    Layer for layer that of keras.applications, whose outputs it reproduces at sizes
    divisible by 32; but every size may vary after building, names do not depend on
    what was built before, and batch normalisation is fused.

    torchvision's, which is also that of segmentation_models.pytorch, pads strided
    convolutions symmetrically, normalises by ImageNet's statistics and with a smaller
    epsilon, and gives the last 1x1 convolution as "c5" (2,257,984 parameters in all).

    Args:
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        weights: None, "imagenet" (the file of keras.applications, downloaded), a path.
        output_stride: 32, 16 or 8; see `kerasseg.encoders.atrous`.
        dilate_first: also dilate the convolutions that gave up their stride, as
            segmentation_models.pytorch; the features are then not those at stride 32.
        publisher: "keras.applications" or "torchvision", whose network to build.

    Returns:
        keras.Model: image -> {"c1": 16, "c2": 24, "c3": 32, "c4": 96, "c5": 320
        channels} at strides 2, 4, 8, 16, 32, none beyond `output_stride`; "c5" of
        torchvision's has 1280.

    Reference: Sandler et al., 2018, https://arxiv.org/abs/1801.04381
    """
    check_output_stride(output_stride, "mobilenet_v2")
    check_publisher(publisher, PUBLISHERS, weights)
    scale, origin = PUBLISHERS[publisher]
    image = keras.Input(input_shape, name="image")
    x = Normalize(*scale, name="normalize")(image)
    options = {"output_stride": output_stride, "dilate_first": dilate_first}
    taps = inverted_residuals(x, STAGES, origin=origin, **options)
    if publisher == "torchvision":
        norm = blocks.BatchNorm(origin.epsilon)
        options = {"norm": norm, "activation": "relu6", "name": "last"}
        taps["c5"] = blocks.conv_norm_act(taps["c5"], 1280, 1, **options)
    model = keras.Model(image, taps, name="mobilenet_v2")
    if isinstance(weights, str) and weights == "imagenet":
        source = keras.applications.MobileNetV2((224, 224, 3), include_top=False)
        weights = {v.path: v.numpy() for v in source.weights}
    return load_of_publisher(model, weights, RULES, publisher)
