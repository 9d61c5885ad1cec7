"""ConvNeXt: a convolutional network laid out like a transformer."""

import re

import keras
from keras import layers

from kerasseg import blocks
from kerasseg.encoders.atrous import check_output_stride, stage_plan
from kerasseg.encoders.pretrained import load
from kerasseg.encoders.resnet import MEAN, STD
from kerasseg.encoders.traits import encoder
from kerasseg.layers import ChannelScale, Normalize, PadSmall
from kerasseg.weights import named_variables

# (channels, blocks) of the four stages
VARIANTS = {
    "convnext_tiny": ((96, 192, 384, 768), (3, 3, 9, 3)),
    "convnext_small": ((96, 192, 384, 768), (3, 3, 27, 3)),
    "convnext_base": ((128, 256, 512, 1024), (3, 3, 27, 3)),
    "convnext_large": ((192, 384, 768, 1536), (3, 3, 27, 3)),
}


# Of a block of torchvision and of Hugging Face.
PARTS = {0: "depthwise", 2: "norm", 3: "expand", 5: "project"}
NAMED_PARTS = {
    "dwconv": "depthwise",
    "layernorm": "norm",
    "pwconv1": "expand",
    "pwconv2": "project",
}


def _rules():
    """Names in torchvision's files: steps down have even numbers, stages odd ones."""
    rules = [
        (r"^features\.0\.0\.", "stage1_down_conv."),
        (r"^features\.0\.1\.", "stage1_down_norm."),
        (r"^classifier\.0\.", "norm."),
        (r"^classifier\.2\.", None),
    ]
    for stage in (1, 2, 3, 4):
        down, ours = rf"^features\.{2 * stage - 2}", f"stage{stage}"
        rules.append((rf"{down}\.0\.", f"{ours}_down_norm."))
        rules.append((rf"{down}\.1\.", f"{ours}_down_conv."))
        block = rf"^features\.{2 * stage - 1}\.(\d+)"
        rules.append((rf"{block}\.layer_scale$", rf"{ours}_\1_scale/factors"))
        for index, part in PARTS.items():
            rules.append((rf"{block}\.block\.{index}\.", rf"{ours}_\1_{part}."))
    return tuple(rules)


def _hugging_face_rules():
    """Names in Hugging Face's files of classifiers and of segmentation networks."""
    start = r"^(?:backbone\.|convnext\.)?"
    rules = [
        (rf"{start}embeddings\.patch_embeddings\.", "stage1_down_conv."),
        (rf"{start}embeddings\.layernorm\.", "stage1_down_norm."),
        (r"^backbone\.hidden_states_norms\.stage4\.", "norm."),
        (r"^backbone\.hidden_states_norms\.stage(\d)\.", r"stage\1_norm."),
        (r"^convnext\.layernorm\.", "norm."),
    ]
    for stage in (1, 2, 3, 4):
        theirs, ours = rf"{start}encoder\.stages\.{stage - 1}", f"stage{stage}"
        block = rf"{theirs}\.layers\.(\d+)"
        rules += [
            (rf"{theirs}\.downsampling_layer\.0\.", f"{ours}_down_norm."),
            (rf"{theirs}\.downsampling_layer\.1\.", f"{ours}_down_conv."),
            (rf"{block}\.layer_scale_parameter$", rf"{ours}_\1_scale/factors"),
        ]
        for name, part in NAMED_PARTS.items():
            rules.append((rf"{block}\.{name}\.", rf"{ours}_\1_{part}."))
    return tuple(rules)


RULES = (*_rules(), *_hugging_face_rules())


@encoder(publisher="keras.applications", rules=RULES)
def convnext_tiny(
    input_shape=(None, None, 3),
    *,
    weights=None,
    output_stride=32,
    normalize_taps=False,
):
    """ConvNeXt-T (27,820,128 parameters), without stochastic depth.

    Gives the features of keras.applications and torchvision; where a step down leaves
    rows or columns over, it drops them, as those do.

    Args:
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        weights: None, "imagenet" (the file of keras.applications, downloaded), a path;
            torchvision's and Hugging Face's files are read too.
        output_stride: 32, 16 or 8; see `kerasseg.encoders.atrous`.
        normalize_taps: normalise every tap over its channels, not only "c5", as
            published segmentation networks on ConvNeXt do.

    Returns:
        keras.Model: image -> {"c2": 96, "c3": 192, "c4": 384, "c5": 768 channels} at
        strides 4, 8, 16, 32, none beyond `output_stride`; there is no "c1". "c5" is
        normalised over its channels.

    Reference: Liu et al., 2022, https://arxiv.org/abs/2201.03545
    """
    options = (input_shape, weights, output_stride, normalize_taps)
    return _convnext("convnext_tiny", *options)


@encoder(publisher="keras.applications", rules=RULES)
def convnext_small(
    input_shape=(None, None, 3),
    *,
    weights=None,
    output_stride=32,
    normalize_taps=False,
):
    """ConvNeXt-S; arguments and taps as for `convnext_tiny`.

    Reference: Liu et al., 2022, https://arxiv.org/abs/2201.03545
    """
    options = (input_shape, weights, output_stride, normalize_taps)
    return _convnext("convnext_small", *options)


@encoder(publisher="keras.applications", rules=RULES)
def convnext_base(
    input_shape=(None, None, 3),
    *,
    weights=None,
    output_stride=32,
    normalize_taps=False,
):
    """ConvNeXt-B; as `convnext_tiny`, `c2`..`c5` have 128 to 1024 channels.

    Reference: Liu et al., 2022, https://arxiv.org/abs/2201.03545
    """
    options = (input_shape, weights, output_stride, normalize_taps)
    return _convnext("convnext_base", *options)


@encoder(publisher="keras.applications", rules=RULES)
def convnext_large(
    input_shape=(None, None, 3),
    *,
    weights=None,
    output_stride=32,
    normalize_taps=False,
):
    """ConvNeXt-L; as `convnext_tiny`, `c2`..`c5` have 192 to 1536 channels.

    Reference: Liu et al., 2022, https://arxiv.org/abs/2201.03545
    """
    options = (input_shape, weights, output_stride, normalize_taps)
    return _convnext("convnext_large", *options)


def _convnext(name, input_shape, weights, output_stride, normalize_taps):
    check_output_stride(output_stride, name)
    image = keras.Input(input_shape, name="image")
    x = Normalize(MEAN, STD, name="normalize")(image)
    taps = {}
    stages = zip(*VARIANTS[name], stage_plan([4, 2, 2, 2], output_stride))
    for stage, (filters, depth, (strides, first, dilation)) in enumerate(stages, 1):
        down = f"stage{stage}_down"
        if stage == 1:
            x = _step_down(x, filters, 4, strides, first, name=f"{down}_conv")
            x = blocks.normalize(x, "layer", name=f"{down}_norm")
        else:
            x = blocks.normalize(x, "layer", name=f"{down}_norm")
            x = _step_down(x, filters, 2, strides, first, name=f"{down}_conv")
        for index in range(depth):
            x = _block(x, dilation, name=f"stage{stage}_{index}")
        tap = x
        if normalize_taps and stage < 4:
            tap = blocks.normalize(x, "layer", name=f"stage{stage}_norm")
        taps[f"c{stage + 1}"] = tap
    taps["c5"] = blocks.normalize(x, "layer", name="norm")
    model = keras.Model(image, taps, name=name)
    if isinstance(weights, str) and weights == "imagenet":
        # convnext_tiny is ConvNeXtTiny there.
        application = getattr(keras.applications, f"ConvNeXt{name[9:].title()}")
        source = application(include_top=False, input_shape=(224, 224, 3))
        weights = arrays_of(source, model)
    return load(model, weights, rules=RULES)


def _initial():
    return keras.initializers.TruncatedNormal(stddev=0.02)  # as the authors


def _step_down(x, filters, size, strides, dilation, *, name):
    """Convolve disjoint windows; without the stride, one window from each pixel on."""
    if strides == 1:
        far = (size - 1) * dilation
        x = layers.ZeroPadding2D(((0, far), (0, far)), name=f"{name}_pad")(x)
    else:
        x = PadSmall(size, name=f"{name}_pad")(x)
    return layers.Conv2D(
        filters,
        size,
        strides=strides,
        dilation_rate=dilation,
        padding="valid",
        kernel_initializer=_initial(),
        name=name,
    )(x)


def _block(x, dilation, *, name):
    """Depthwise 7x7, then a perceptron at each pixel; added to the input."""
    inputs, filters = x, x.shape[-1]
    x = layers.DepthwiseConv2D(
        7,
        dilation_rate=dilation,
        padding="same",
        depthwise_initializer=_initial(),
        name=f"{name}_depthwise",
    )(x)
    x = blocks.normalize(x, "layer", name=f"{name}_norm")
    x = layers.Dense(4 * filters, kernel_initializer=_initial(), name=f"{name}_expand")(
        x
    )
    x = layers.Activation("gelu", name=f"{name}_gelu")(x)
    x = layers.Dense(filters, kernel_initializer=_initial(), name=f"{name}_project")(x)
    # LayerScale starts at 1e-6, as in the paper: blocks begin close to the identity.
    x = ChannelScale(1e-6, name=f"{name}_scale")(x)
    return layers.Add(name=f"{name}_add")([inputs, x])


def arrays_of(source, model):
    """Arrays of a ConvNeXt of keras.applications by the names in ours.

    Both hold the same weights in the same order; those of 7x7 convolutions, which are
    grouped ones there, differ in the place of an axis of length 1.
    """
    arrays, weights = {}, iter(source.weights)
    for path, variable in named_variables(model).items():
        if re.match(r"stage\d_norm/", path):  # of taps, which are not normalised there
            arrays[path] = variable.numpy()
            continue
        array = next(weights).numpy()
        is_depthwise = path.endswith("_depthwise/kernel")
        arrays[path] = array.reshape(variable.shape) if is_depthwise else array
    return arrays
