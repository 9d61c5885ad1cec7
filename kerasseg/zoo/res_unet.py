"""ResUNet: a U-Net of residual units."""

import keras
from keras import layers

from kerasseg import blocks, encoders
from kerasseg.encoders.residual import residual_unit
from kerasseg.layers import ResizeLike
from kerasseg.zoo._builder import builder


@builder()
def res_unet(
    num_classes=2,
    encoder="residual",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    base_filters=64,
    decoder_filters=None,
    norm="batch",
    weights=None,
):
    """ResUNet on its own contracting path of three strides, or on any encoder.

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw pixels 0..255.
        base_filters: channels of the first level, "residual" only.
        decoder_filters: channels per level, coarse to fine; None takes the skips'.
        norm: "batch", "group", "layer" or None.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes].

    Raises:
        ValueError: for an unknown encoder or norm.

    Reference: Zhang et al., 2018, https://arxiv.org/abs/1711.10684
    """
    image = keras.Input(input_shape, name="image")
    options = {}
    if encoders.traits_of(encoder).unit is residual_unit:
        options = {"base_filters": base_filters, "depth": 3, "norm": norm}
    encoder = encoders.build(
        encoder, input_shape, weights=encoder_weights, options=options
    )
    *skips, x = encoder(image).values()  # taps come fine to coarse
    filters = decoder_filters or [skip.shape[-1] for skip in skips[::-1]]
    for level, (skip, channels) in enumerate(zip(skips[::-1], filters), 1):
        name = f"decoder{level}"
        x = ResizeLike("nearest", name=f"{name}_up")([x, skip])
        x = layers.Concatenate(name=f"{name}_skip")([x, skip])
        x = residual_unit(x, channels, norm=norm, name=name)
    scores = blocks.conv(x, num_classes, 1, name="head")
    # Encoders without "c0" end at half the size of the image.
    return keras.Model(image, blocks.logits(scores, image), name="res_unet")
