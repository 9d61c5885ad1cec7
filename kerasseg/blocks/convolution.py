"""Convolution, normalisation, activation: what every network is made of."""

from keras import layers

from kerasseg.layers import AtrousConv2D, BatchNormalization

PADDINGS = ("symmetric", "same", "valid")
FEW_CHANNELS = 12  # measured: 3, 4 and 8 crash (see `conv`), 12 and more do not


def conv(
    x,
    filters,
    kernel_size=3,
    *,
    strides=1,
    dilation=1,
    groups=1,
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
        groups: parts of the channels that do not see each other.
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
        groups=groups,
        padding=padding,
        use_bias=use_bias,
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


def normalize(x, norm="batch", *, epsilon=1e-5, momentum=0.9, name):
    """Normalise features: "batch", "group" (at most 32 groups), "layer", or None.

    Momentum and epsilon default to those of PyTorch's reference networks.

    Raises:
        ValueError: if `norm` is none of these.
    """
    if norm is None:
        return x
    if norm == "batch":
        layer = BatchNormalization(epsilon=epsilon, momentum=momentum, name=name)
    elif norm == "group":
        groups = next(g for g in (32, 16, 8, 4, 2, 1) if x.shape[-1] % g == 0)
        layer = layers.GroupNormalization(groups, epsilon=epsilon, name=name)
    elif norm == "layer":
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
    groups=1,
    padding="symmetric",
    norm="batch",
    activation="relu",
    epsilon=1e-5,
    name,
):
    """Convolution, normalisation, activation; the bias yields to the normalisation.

    Args:
        x: features [N, H, W, C].
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
        groups=groups,
        padding=padding,
        use_bias=norm is None,
        name=f"{name}_conv",
    )
    x = normalize(x, norm, epsilon=epsilon, name=f"{name}_norm")
    return activate(x, activation, name=name)


def activate(x, activation, *, name):
    """Apply a Keras activation as layer `{name}_{activation}`; None does nothing."""
    if activation is None:
        return x
    return layers.Activation(activation, name=f"{name}_{activation}")(x)


def depthwise_conv_norm_act(
    x,
    kernel_size=3,
    *,
    strides=1,
    dilation=1,
    padding="symmetric",
    norm="batch",
    activation="relu",
    epsilon=1e-5,
    name,
):
    """One filter a channel, normalisation, activation. Layers `{name}_conv`, ..."""
    x, padding = pad_symmetric(
        x, kernel_size, strides, dilation, padding, f"{name}_conv"
    )
    x = layers.DepthwiseConv2D(
        kernel_size,
        strides=strides,
        dilation_rate=dilation,
        padding=padding,
        use_bias=norm is None,
        depthwise_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    x = normalize(x, norm, epsilon=epsilon, name=f"{name}_norm")
    return activate(x, activation, name=name)


def separable_conv(
    x,
    filters,
    *,
    strides=1,
    dilation=1,
    padding="symmetric",
    activation="relu",
    epsilon=1e-5,
    name,
):
    """Depthwise 3x3 and pointwise 1x1, each normalised and activated (DeepLabv3+).

    Reference: Chen et al., 2018, https://arxiv.org/abs/1802.02611
    """
    x = depthwise_conv_norm_act(
        x,
        strides=strides,
        dilation=dilation,
        padding=padding,
        activation=activation,
        epsilon=epsilon,
        name=f"{name}_depthwise",
    )
    return conv_norm_act(
        x,
        filters,
        1,
        activation=activation,
        epsilon=epsilon,
        name=f"{name}_pointwise",
    )


def double_conv(x, filters, *, padding="symmetric", norm="batch", name):
    """Two 3x3 convolutions, each normalised and activated: the step of U-Net."""
    for index in (1, 2):
        x = conv_norm_act(
            x, filters, padding=padding, norm=norm, name=f"{name}_{index}"
        )
    return x
