"""Inverted residual blocks of MobileNetV2 and EfficientNet-Lite.

Reference: Sandler et al., 2018, https://arxiv.org/abs/1801.04381
"""

from typing import NamedTuple

from keras import layers

from kerasseg import blocks
from kerasseg.encoders.atrous import stage_plan


class Origin(NamedTuple):
    """Where TensorFlow's and PyTorch's networks of equal layers differ.

    Attributes:
        padding: of strided convolutions. TensorFlow's "same" puts the odd zero of even
            sizes at the far side, PyTorch pads symmetrically.
        epsilon: of batch normalisation.
    """

    padding: str = "same"
    epsilon: float = 1e-3


TENSORFLOW, PYTORCH = Origin(), Origin("symmetric", 1e-5)


def inverted_residuals(
    x, stages, *, output_stride, dilate_first=False, origin=TENSORFLOW
):
    """Stem of 32 channels at stride 2, then stages of inverted residuals.

    Args:
        x: normalised image [N, H, W, C].
        stages: rows of (repeats, kernel size, stride, expansion, filters).
        output_stride: stride at which the features stop shrinking.
        dilate_first: see `kerasseg.encoders.atrous.stage_plan`.
        origin: where the published weights come from, see `Origin`.

    Returns:
        dict "c1".."c5": output of the last block at strides 2 to 32.
    """
    options = {"padding": origin.padding, "use_bias": False, "name": "stem_conv"}
    x = blocks.conv(x, 32, strides=2, **options)
    x = blocks.normalize(x, blocks.BatchNorm(origin.epsilon), name="stem_norm")
    x = blocks.activate(x, "relu6", name="stem")
    strides = [stage[2] for stage in stages]
    plan = stage_plan(strides, output_stride, start=2, dilate_first=dilate_first)
    taps, level, block = {}, 1, 0
    for stage, (stride, first, dilation) in zip(stages, plan):
        repeats, kernel_size, nominal_stride, expansion, filters = stage
        level += nominal_stride > 1
        for index in range(repeats):
            x = inverted_residual(
                x,
                filters,
                kernel_size,
                expansion=expansion,
                strides=1 if index else stride,
                dilation=dilation if index else first,
                origin=origin,
                name=f"block{block}",
            )
            block += 1
        taps[f"c{level}"] = x
    return taps


def inverted_residual(
    x,
    filters,
    kernel_size=3,
    *,
    expansion,
    strides=1,
    dilation=1,
    origin=TENSORFLOW,
    name,
):
    """Expand by 1x1, depthwise convolution, project by 1x1; add the input if it fits.

    Args:
        x: features [N, H, W, C].
        filters: channels of the result.
        expansion: 1 leaves the first 1x1 out.
        origin: see `Origin`.
        name: prefix; layers `{name}_expand_conv`, `{name}_depthwise_conv`,
            `{name}_project_conv`, `{name}_add`.

    Returns:
        Features [N, H / strides, W / strides, filters].
    """
    inputs = x
    norm = blocks.BatchNorm(origin.epsilon)
    options = {"activation": "relu6", "norm": norm}
    # The first block has nothing to expand to, and the files no layer for it.
    if expansion > 1:
        channels = expansion * x.shape[-1]
        x = blocks.conv_norm_act(x, channels, 1, name=f"{name}_expand", **options)
    x = blocks.depthwise_conv_norm_act(
        x,
        kernel_size,
        strides=strides,
        dilation=dilation,
        padding=origin.padding,
        name=f"{name}_depthwise",
        **options,
    )
    options["activation"] = None
    x = blocks.conv_norm_act(x, filters, 1, name=f"{name}_project", **options)
    if strides == 1 and inputs.shape[-1] == filters:
        x = layers.Add(name=f"{name}_add")([inputs, x])
    return x


def round_to_8(channels):
    """The nearest multiple of 8 that is not more than a tenth smaller."""
    # The rule of the MobileNets' authors (`_make_divisible` in TensorFlow's slim).
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * channels else rounded + 8
