"""Attention U-Net: skips gated by position, by the coarse features."""

import keras
from keras import layers

from kerasseg import blocks, encoders
from kerasseg.layers import ResizeLike
from kerasseg.zoo._builder import builder


@builder()
def attention_unet(
    num_classes=2,
    encoder="plain",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    base_filters=64,
    decoder_filters=None,
    norm="batch",
    weights=None,
):
    """Attention U-Net on the contracting path of U-Net, or on any encoder.

    The gates work at the size of the skip, on upsampled coarse features; the paper
    shrinks the skip instead and enlarges the gate.

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw pixels 0..255.
        base_filters: channels of the first level, "plain" only.
        decoder_filters: channels per level, coarse to fine; None takes the skips'.
        norm: "batch", "group", "layer" or None.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes].

    Raises:
        ValueError: for an unknown encoder or norm.

    Reference: Oktay et al., 2018, https://arxiv.org/abs/1804.03999
    """
    image = keras.Input(input_shape, name="image")
    options = {}
    if encoders.traits_of(encoder).unit is blocks.double_conv:
        options = {"base_filters": base_filters, "depth": 4, "norm": norm}
    encoder = encoders.build(
        encoder, input_shape, weights=encoder_weights, options=options
    )
    *skips, x = encoder(image).values()  # taps come fine to coarse
    filters = decoder_filters or [skip.shape[-1] for skip in skips[::-1]]
    for level, (skip, channels) in enumerate(zip(skips[::-1], filters), 1):
        name = f"decoder{level}"
        x = ResizeLike("nearest", name=f"{name}_up")([x, skip])
        x = blocks.conv_norm_act(x, channels, norm=norm, name=f"{name}_up")
        skip = _gate(skip, x, norm, name=f"{name}_gate")
        x = layers.Concatenate(name=f"{name}_skip")([skip, x])
        x = blocks.double_conv(x, channels, norm=norm, name=name)
    scores = blocks.conv(x, num_classes, 1, name="head")
    # Encoders without "c0" end at half the size of the image.
    return keras.Model(image, blocks.logits(scores, image), name="attention_unet")


def _gate(skip, signal, norm, *, name):
    """Weigh each position of `skip` by 0..1, from itself and from the signal."""
    filters = max(1, signal.shape[-1] // 2)
    parts = [
        blocks.conv_norm_act(x, filters, 1, norm=norm, activation=None, name=part)
        for x, part in ((skip, f"{name}_skip"), (signal, f"{name}_signal"))
    ]
    x = layers.Add(name=f"{name}_add")(parts)
    x = blocks.activate(x, "relu", name=name)
    x = blocks.conv_norm_act(
        x, 1, 1, norm=norm, activation="sigmoid", name=f"{name}_score"
    )
    return layers.Multiply(name=f"{name}_apply")([skip, x])
