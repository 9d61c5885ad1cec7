"""Gates: features weighted by channel and by position."""

from keras import layers

from kerasseg.blocks.convolution import conv


def channel_gate(x, filters, *, activation="sigmoid", name):
    """Weights in 0..1 for the channels of `x`, from their averages (squeeze-excite).

    Args:
        x: features [N, H, W, C].
        filters: channels in between.
        activation: of the weights; "hard_sigmoid" for MobileNetV3.
        name: prefix; layers `{name}_pool`, `{name}_1`, `{name}_2`.

    Returns:
        Weights [N, 1, 1, C].

    Reference: Hu et al., 2018, https://arxiv.org/abs/1709.01507
    """
    channels = x.shape[-1]
    x = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_pool")(x)
    # Convolutions of a map of one pixel: dense layers, stored as published files do.
    x = conv(x, filters, 1, name=f"{name}_1")
    x = layers.Activation("relu", name=f"{name}_relu")(x)
    x = conv(x, channels, 1, name=f"{name}_2")
    return layers.Activation(activation, name=f"{name}_{activation}")(x)


def scse(x, *, reduction=16, name):
    """Concurrent spatial and channel squeeze and excitation: two gates, summed.

    Args:
        x: features [N, H, W, C].
        reduction: the channel gate has C / reduction channels in between.
        name: prefix of the layers.

    Returns:
        Features [N, H, W, C].

    Reference: Roy et al., 2018, https://arxiv.org/abs/1803.02579
    """
    filters = max(1, x.shape[-1] // reduction)
    channel = channel_gate(x, filters, name=f"{name}_channel")
    spatial = conv(x, 1, 1, name=f"{name}_spatial")
    spatial = layers.Activation("sigmoid", name=f"{name}_spatial_sigmoid")(spatial)
    gated = [
        layers.Multiply(name=f"{name}_by_channel")([x, channel]),
        layers.Multiply(name=f"{name}_by_position")([x, spatial]),
    ]
    return layers.Add(name=f"{name}_add")(gated)


def attend_rules(places):
    """Rules for the gates of segmentation_models.pytorch.

    Args:
        places: pairs of (pattern of the module's name there, name here).

    Returns:
        List of rules for `kerasseg.weights.from_torch`.
    """
    parts = {
        r"attention\.cSE\.1": "channel_1",
        r"attention\.cSE\.3": "channel_2",
        r"attention\.sSE\.0": "spatial",
    }
    return [
        (rf"^{there}\.{part}\.", f"{here}_{name}.")
        for there, here in places
        for part, name in parts.items()
    ]


def attend(x, attention, *, name):
    """Gate features by a decoder's `attention` option: "scse", or None for no gate.

    Raises:
        ValueError: if `attention` is neither.
    """
    if attention is None:
        return x
    if attention == "scse":
        return scse(x, name=name)
    raise ValueError(
        f"`attention` must be 'scse' or None. Received: attention={attention!r}."
    )
