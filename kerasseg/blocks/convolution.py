"""Convolution, normalisation, activation: the parts of every network."""

from typing import NamedTuple

from keras import layers

from kerasseg.layers import AtrousConv2D, AtrousDepthwiseConv2D, BatchNormalization

PADDINGS = ("symmetric", "same", "valid")
FEW_CHANNELS = 12  # measured: 3, 4 and 8 crash (see `conv`), 12 and more do not


def conv(
    x,
    filters,
    kernel_size=3,
    *,
    strides=1,
    dilation=1,
    padding="symmetric",
    use_bias=True,
    name,
):
    """Convolution, padded as in PyTorch ("symmetric") or in TensorFlow ("same").

    Both put dilation * (kernel_size - 1) / 2 zeros at either side where strides are 1.
    With strides, "same" puts the odd zero at the far side and depends on the image
    size; "symmetric" does neither, as in the published ResNets.

    Args:
        x: features [N, H, W, C].
        kernel_size: odd number.
        padding: "symmetric", "same" or "valid".
        name: the layer's name.

    Returns:
        Features [N, H / strides, W / strides, filters].
    """
    if padding not in PADDINGS:
        raise ValueError(f"`padding` must be in {PADDINGS}. Received: {padding!r}.")
    if kernel_size == 1 and strides > 1 and x.shape[-1] < FEW_CHANNELS:
        # TensorFlow 2.21 on processors with AVX512 (oneDNN) writes beyond its memory in
        # the gradient of such a kernel where the sides are even. Single pixels are
        # pooled instead: the same ones that the stride would have taken.
        x = layers.MaxPooling2D(1, strides, name=f"{name}_subsample")(x)
        strides = 1
    x, padding = pad_symmetric(x, kernel_size, strides, dilation, padding, name)
    layer = layers.Conv2D if dilation == 1 else AtrousConv2D
    return layer(
        filters,
        kernel_size,
        strides=strides,
        dilation_rate=dilation,
        padding=padding,
        use_bias=use_bias,
        # Made for ReLU: under Keras' default, glorot_uniform, features fade with depth.
        kernel_initializer="he_normal",
        name=name,
    )(x)


def pad_symmetric(x, kernel_size, strides, dilation, padding, name):
    """Pad by hand where Keras' own padding would be one-sided; return (x, padding)."""
    if padding != "symmetric":
        return x, padding
    if strides == 1:
        return x, "same"
    margin = dilation * (kernel_size - 1) // 2
    if margin:
        x = layers.ZeroPadding2D(margin, name=f"{name}_pad")(x)
    return x, "valid"


class BatchNorm(NamedTuple):
    """Batch normalisation as `norm=` of a block, where "batch" has other numbers.

    Attributes:
        epsilon: added to variances; 1e-5 in PyTorch's reference networks, 1e-3 in
            those of TensorFlow.
    """

    epsilon: float = 1e-5


def normalize(x, norm="batch", *, name):
    """Normalise features [N, H, W, C].

    Args:
        x: features.
        norm: "batch" or a `BatchNorm`, "group" (at most 32 groups), "layer" (over the
            channels of each position), or None.
        name: the layer's name.

    Raises:
        ValueError: if `norm` is none of these.
    """
    if norm is None:
        return x
    if norm == "batch":
        norm = BatchNorm()
    if isinstance(norm, BatchNorm):
        # PyTorch's momentum of 0.1 weighs the new value, that of Keras the old one.
        layer = BatchNormalization(epsilon=norm.epsilon, momentum=0.9, name=name)
    elif norm == "group":
        # 32, the paper's default (https://arxiv.org/abs/1803.08494), where they divide.
        groups = next(g for g in (32, 16, 8, 4, 2, 1) if x.shape[-1] % g == 0)
        layer = layers.GroupNormalization(groups, epsilon=1e-5, name=name)
    elif norm == "layer":
        # 1e-6 in ConvNeXt and MiT; PyTorch's default would be 1e-5.
        layer = layers.LayerNormalization(epsilon=1e-6, name=name)
    else:
        raise ValueError(
            "`norm` must be 'batch', 'group', 'layer' or None. "
            f"Received: norm={norm!r}."
        )
    return layer(x)


def conv_norm_act(
    x,
    filters,
    kernel_size=3,
    *,
    strides=1,
    dilation=1,
    norm="batch",
    activation="relu",
    name,
):
    """Convolution, normalisation, activation; the bias yields to the normalisation.

    Args:
        x: features [N, H, W, C].
        filters: channels of the result.
        kernel_size: odd number.
        norm: see `normalize`; None gives the convolution a bias.
        activation: name of a Keras activation, or None.
        name: prefix of the three layers.

    Returns:
        Features [N, H / strides, W / strides, filters].
    """
    x = conv(
        x,
        filters,
        kernel_size,
        strides=strides,
        dilation=dilation,
        use_bias=norm is None,
        name=f"{name}_conv",
    )
    x = normalize(x, norm, name=f"{name}_norm")
    return activate(x, activation, name=name)


def activate(x, activation, *, name):
    """Apply a Keras activation as layer `{name}_{activation}`; None does nothing."""
    if activation is None:
        return x
    return layers.Activation(activation, name=f"{name}_{activation}")(x)


def depthwise_conv(
    x,
    kernel_size=3,
    *,
    strides=1,
    dilation=1,
    padding="symmetric",
    use_bias=True,
    name,
):
    """Depthwise convolution: a kernel for each channel; arguments as for `conv`.

    Returns:
        Features [N, H / strides, W / strides, C].
    """
    x, padding = pad_symmetric(x, kernel_size, strides, dilation, padding, name)
    layer = layers.DepthwiseConv2D if dilation == 1 else AtrousDepthwiseConv2D
    return layer(
        kernel_size,
        strides=strides,
        dilation_rate=dilation,
        padding=padding,
        use_bias=use_bias,
        # Keras 3.15 takes all channels for inputs of such a kernel, which makes it
        # smaller than He's by the root of their number; a normalisation behind it
        # undoes that.
        depthwise_initializer="he_normal",
        name=name,
    )(x)


def depthwise_conv_norm_act(
    x,
    kernel_size=3,
    *,
    strides=1,
    dilation=1,
    padding="symmetric",
    norm="batch",
    activation="relu",
    name,
):
    """Depthwise convolution, normalisation, activation.

    Args:
        x: features [N, H, W, C].
        kernel_size: odd number.
        padding: "symmetric", "same" or "valid", see `conv`.
        norm: see `normalize`; None gives the convolution a bias.
        activation: name of a Keras activation, or None.
        name: prefix of the three layers.

    Returns:
        Features [N, H / strides, W / strides, C].
    """
    x = depthwise_conv(
        x,
        kernel_size,
        strides=strides,
        dilation=dilation,
        padding=padding,
        use_bias=norm is None,
        name=f"{name}_conv",
    )
    x = normalize(x, norm, name=f"{name}_norm")
    return activate(x, activation, name=name)


def separable_conv(
    x,
    filters,
    *,
    strides=1,
    dilation=1,
    norm="batch",
    activation="relu",
    depthwise_norm=True,
    name,
):
    """Depthwise 3x3 and pointwise 1x1, each normalised and activated (DeepLabv3+).

    Args:
        x: features [N, H, W, C].
        filters: channels of the result.
        norm: see `normalize`.
        activation: name of a Keras activation, or None.
        depthwise_norm: False leaves normalisation, activation and bias out between the
            two convolutions, as segmentation_models.pytorch does.
        name: prefix; layers `{name}_depthwise_conv`, `{name}_pointwise_conv`, ...

    Returns:
        Features [N, H / strides, W / strides, filters].

    Reference: Chen et al., 2018, https://arxiv.org/abs/1802.02611
    """
    options = {"norm": norm, "activation": activation}
    place = {"strides": strides, "dilation": dilation}
    if depthwise_norm:
        x = depthwise_conv_norm_act(x, name=f"{name}_depthwise", **place, **options)
    else:
        x = depthwise_conv(x, use_bias=False, name=f"{name}_depthwise_conv", **place)
    return conv_norm_act(x, filters, 1, name=f"{name}_pointwise", **options)


def double_conv(x, filters, *, padding="symmetric", norm="batch", name):
    """Two 3x3 convolutions, each normalised and activated: the step of U-Net."""
    for step in (f"{name}_1", f"{name}_2"):
        x = conv(
            x, filters, padding=padding, use_bias=norm is None, name=f"{step}_conv"
        )
        x = normalize(x, norm, name=f"{step}_norm")
        x = activate(x, "relu", name=step)
    return x
