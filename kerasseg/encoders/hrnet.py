"""HRNet: branches of four resolutions that exchange features repeatedly."""

import keras
from keras import layers

from kerasseg import blocks
from kerasseg.encoders.atrous import check_output_stride
from kerasseg.encoders.pretrained import load
from kerasseg.encoders.resnet import MEAN, STD, basic_block, bottleneck
from kerasseg.encoders.traits import encoder
from kerasseg.layers import Normalize, ResizeLike

MODULES = {2: 1, 3: 4, 4: 3}  # exchanges in the stages of 2, 3 and 4 branches
START = r"^(?:(?:backbone|model|encoder)\.)?"
BRANCH = START + r"stage(\d)\.(\d)\.branches\.(\d)\.(\d)\."
FUSE = START + r"stage(\d)\.(\d)\.fuse_layers\.(\d)\.(\d)\."
# Names of the authors' and of timm's files.
RULES = (
    *(
        rule
        for part, (theirs, kind) in enumerate((("conv", "conv"), ("bn", "norm")))
        for rule in (
            (START + rf"{theirs}(\d)\.", rf"stem\1_{kind}."),
            (
                START + rf"layer1\.(\d)\.{theirs}(\d)\.",
                rf"layer1_\1_\2_{kind}.",
            ),
            (START + rf"layer1\.0\.downsample\.{part}\.", f"layer1_0_shortcut_{kind}."),
            (
                START + rf"transition(\d)\.(\d)\.(?:0\.)?{part}\.(?!\d)",
                rf"transition\1_\2_{kind}.",
            ),
            (BRANCH + rf"{theirs}(\d)\.", rf"stage\1_\2_branch\3_\4_\5_{kind}."),
            (FUSE + rf"{part}\.(?!\d)", rf"stage\1_\2_fuse\3_\4_{kind}."),
            (FUSE + rf"(\d)\.{part}\.", rf"stage\1_\2_fuse\3_\4_\5_{kind}."),
        )
    ),
    # Heads of the classifier, which the published ImageNet files bring along.
    (r"^(incre_modules|downsamp_modules|final_layer|classifier)\.", None),
)


@encoder(rules=RULES, dense=False)
def hrnet_w18(
    input_shape=(None, None, 3),
    *,
    weights=None,
    output_stride=32,
    interpolation="bilinear",
    align_corners=False,
):
    """HRNet-W18: 18 channels at stride 4, twice as many at each coarser stride.

    Args:
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        weights: None or a path (names of the authors or of timm).
        output_stride: 32 only: c2 is fine already.
        interpolation: how coarse branches reach the finer ones: "bilinear" for
            segmentation, "nearest" for weights trained on ImageNet.
        align_corners: resize with coinciding corner pixels, as the authors' networks
            for segmentation.

    Returns:
        keras.Model: image -> {"c1": 64, "c2": 18, "c3": 36, "c4": 72, "c5": 144
        channels} at strides 2, 4, 8, 16, 32.

    Reference: Wang et al., 2020, https://arxiv.org/abs/1908.07919
    """
    resize = {"interpolation": interpolation, "align_corners": align_corners}
    return _hrnet("hrnet_w18", 18, input_shape, weights, output_stride, resize)


@encoder(rules=RULES, dense=False)
def hrnet_w32(
    input_shape=(None, None, 3),
    *,
    weights=None,
    output_stride=32,
    interpolation="bilinear",
    align_corners=False,
):
    """HRNet-W32, of 32 to 256 channels; arguments as for `hrnet_w18`.

    Reference: Wang et al., 2020, https://arxiv.org/abs/1908.07919
    """
    resize = {"interpolation": interpolation, "align_corners": align_corners}
    return _hrnet("hrnet_w32", 32, input_shape, weights, output_stride, resize)


@encoder(rules=RULES, dense=False)
def hrnet_w48(
    input_shape=(None, None, 3),
    *,
    weights=None,
    output_stride=32,
    interpolation="bilinear",
    align_corners=False,
):
    """HRNet-W48, of 48 to 384 channels; arguments as for `hrnet_w18`.

    Reference: Wang et al., 2020, https://arxiv.org/abs/1908.07919
    """
    resize = {"interpolation": interpolation, "align_corners": align_corners}
    return _hrnet("hrnet_w48", 48, input_shape, weights, output_stride, resize)


def _hrnet(name, width, input_shape, weights, output_stride, resize):
    check_output_stride(output_stride, name, choices=(32,))
    image = keras.Input(input_shape, name="image")
    x = Normalize(MEAN, STD, name="normalize")(image)
    x = stem = blocks.conv_norm_act(x, 64, strides=2, name="stem1")
    x = blocks.conv_norm_act(x, 64, strides=2, name="stem2")
    for index in range(4):
        x = bottleneck(x, 64, name=f"layer1_{index}")
    branches = [x]
    for stage, modules in MODULES.items():
        branches = _transition(branches, width, name=f"transition{stage - 1}")
        for module in range(modules):
            branches = _exchange(branches, resize, name=f"stage{stage}_{module}")
    taps = {f"c{level}": x for level, x in enumerate(branches, 2)}
    model = keras.Model(image, {"c1": stem, **taps}, name=name)
    return load(model, weights, rules=RULES)


def _transition(branches, width, *, name):
    """Add a branch of half the size; bring the first to its channels."""
    x = branches[-1]
    channels = width * 2 ** len(branches)
    new = blocks.conv_norm_act(x, channels, strides=2, name=f"{name}_{len(branches)}")
    if len(branches) == 1:
        branches = [blocks.conv_norm_act(x, width, name=f"{name}_0")]
    return [*branches, new]


def _exchange(branches, resize, *, name):
    """Four residual blocks per branch, then each branch receives the sum of all."""
    for index in range(4):
        branches = [
            basic_block(x, x.shape[-1], name=f"{name}_branch{branch}_{index}")
            for branch, x in enumerate(branches)
        ]
    fused = []
    for target, like in enumerate(branches):
        parts = [
            _bring(x, like, source - target, resize, f"{name}_fuse{target}_{source}")
            for source, x in enumerate(branches)
        ]
        x = layers.Add(name=f"{name}_fuse{target}_add")(parts)
        fused.append(layers.Activation("relu", name=f"{name}_fuse{target}_relu")(x))
    return fused


def _bring(x, like, levels, resize, name):
    """Bring features up by `levels`, or down by strided convolutions if negative."""
    if levels > 0:
        x = blocks.conv_norm_act(x, like.shape[-1], 1, activation=None, name=name)
        # After the 1x1, as published: at the coarser size it takes a quarter of the
        # work, or less.
        return ResizeLike(**resize, name=f"{name}_up")([x, like])
    for step in range(-levels):
        last = step == -levels - 1
        x = blocks.conv_norm_act(
            x,
            like.shape[-1] if last else x.shape[-1],
            strides=2,
            activation=None if last else "relu",
            name=f"{name}_{step}",
        )
    return x
