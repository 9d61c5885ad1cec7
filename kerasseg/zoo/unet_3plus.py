"""UNet 3+: every decoder level sees every scale."""

import keras
from keras import layers

from kerasseg import blocks, encoders
from kerasseg.layers import ResizeLike
from kerasseg.zoo._builder import builder


@builder()
def unet_3plus(
    num_classes=2,
    encoder="plain",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    base_filters=64,
    decoder_filters=64,
    norm="batch",
    deep_supervision=False,
    weights=None,
):
    """UNet 3+ on the contracting path of U-Net, or on any encoder.

    A level of the decoder joins the finer and equal levels of the encoder, pooled, with
    the coarser levels of the decoder, resized. The paper's classification-guided
    module, for images that may hold no object, is left out.

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw pixels 0..255.
        base_filters: channels of the first level, "plain" only.
        decoder_filters: channels of each joined scale.
        norm: "batch", "group", "layer" or None.
        deep_supervision: score the coarser levels too.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes]; with
        `deep_supervision` a dict {"logits", "aux1", ...}, fine to coarse.

    Raises:
        ValueError: for an unknown encoder or norm.

    Reference: Huang et al., 2020, https://arxiv.org/abs/2004.08790
    """
    image = keras.Input(input_shape, name="image")
    options = {}
    if encoders.traits_of(encoder).unit is blocks.double_conv:
        options = {"base_filters": base_filters, "depth": 4, "norm": norm}
    encoder = encoders.build(
        encoder, input_shape, weights=encoder_weights, options=options
    )
    features = list(encoder(image).values())  # fine to coarse
    decoded = {len(features) - 1: features[-1]}
    for level in range(len(features) - 2, -1, -1):
        scales = []
        for other in range(len(features)):
            # Coarser levels are decoded already, the others come from the encoder.
            x = decoded.get(other, features[other])
            name = f"decoder{level}_from{other}"
            x = _fit(x, features[level], 2 ** (level - other), name)
            scales.append(
                blocks.conv_norm_act(x, decoder_filters, norm=norm, name=name)
            )
        x = layers.Concatenate(name=f"decoder{level}_concat")(scales)
        # 64 from each of 5 scales make the paper's 320.
        filters = decoder_filters * len(features)
        decoded[level] = blocks.conv_norm_act(
            x, filters, norm=norm, name=f"decoder{level}"
        )
    scores = blocks.conv(decoded[0], num_classes, name="head")
    sides = {f"aux{level}": decoded[level] for level in range(1, len(features))}
    outputs = blocks.side_logits(
        blocks.logits(scores, image),
        sides if deep_supervision else {},
        num_classes,
        image,
        head="score",
    )
    return keras.Model(image, outputs, name="unet_3plus")


def _fit(x, like, factor, name):
    """Pool or resize to the size of `like`, `factor` times smaller or 1 / as large."""
    if factor == 1:
        return x
    if factor < 1:
        return ResizeLike(name=f"{name}_up")([x, like])
    x = layers.MaxPooling2D(factor, padding="same", name=f"{name}_pool")(x)
    return ResizeLike("nearest", name=f"{name}_fit")([x, like])
