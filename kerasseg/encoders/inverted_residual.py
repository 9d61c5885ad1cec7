"""Inverted residual blocks of MobileNetV2 and EfficientNet-Lite.

Reference: Sandler et al., 2018, https://arxiv.org/abs/1801.04381
"""

from keras import layers

from kerasseg import blocks
from kerasseg.encoders.atrous import stage_plan

NORM = blocks.BatchNorm(epsilon=1e-3)  # of the published weights


def inverted_residuals(x, stages, *, output_stride):
    """Stem of 32 channels at stride 2, then stages of inverted residuals.

    Strided convolutions pad as TensorFlow does ("same"): at even sizes the odd zero
    lies at the far side, where the published weights expect it.

    Args:
        x: normalised image [N, H, W, C].
        stages: rows of (repeats, kernel size, stride, expansion, filters).
        output_stride: stride at which the features stop shrinking.

    Returns:
        dict "c1".."c5": output of the last block at strides 2 to 32.
    """
    x = blocks.conv(x, 32, strides=2, padding="same", use_bias=False, name="stem_conv")
    x = blocks.normalize(x, NORM, name="stem_norm")
    x = blocks.activate(x, "relu6", name="stem")
    plan = stage_plan([stage[2] for stage in stages], output_stride, start=2)
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
                name=f"block{block}",
            )
            block += 1
        taps[f"c{level}"] = x
    return taps


def inverted_residual(
    x, filters, kernel_size=3, *, expansion, strides=1, dilation=1, name
):
    """Expand by 1x1, depthwise convolution, project by 1x1; add the input if it fits.

    Args:
        x: features [N, H, W, C].
        filters: channels of the result.
        expansion: 1 leaves the first 1x1 out.
        name: prefix; layers `{name}_expand_conv`, `{name}_depthwise_conv`,
            `{name}_project_conv`, `{name}_add`.

    Returns:
        Features [N, H / strides, W / strides, filters].
    """
    inputs = x
    options = {"activation": "relu6", "norm": NORM}
    # The first block has nothing to expand to, and the files no layer for it.
    if expansion > 1:
        channels = expansion * x.shape[-1]
        x = blocks.conv_norm_act(x, channels, 1, name=f"{name}_expand", **options)
    x = blocks.depthwise_conv_norm_act(
        x,
        kernel_size,
        strides=strides,
        dilation=dilation,
        padding="same",
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
