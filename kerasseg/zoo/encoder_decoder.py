"""Encoder-decoder without skips: the baseline that shows what skips add."""

import keras
from keras import layers

from kerasseg import blocks, encoders
from kerasseg.zoo._builder import builder


@builder()
def encoder_decoder(
    num_classes=2,
    encoder="resnet34",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    decoder_filters=(256, 128, 64, 32, 16),
    norm="batch",
    weights=None,
):
    """Transposed convolutions from the deepest features to the image, no skips.

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        decoder_filters: channels of each doubling, coarse to fine.
        norm: "batch", "group", "layer" or None.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes].

    Raises:
        ValueError: for an unknown encoder or norm.

    Reference: Noh et al., 2015, https://arxiv.org/abs/1505.04366, without unpooling
    """
    image = keras.Input(input_shape, name="image")
    x = encoders.build(encoder, input_shape, weights=encoder_weights)(image)["c5"]
    for level, filters in enumerate(decoder_filters, 1):
        name = f"decoder{level}"
        # Kernel 4 at stride 2: every output pixel sums equally many inputs, hence no
        # checkerboard (Odena et al., 2016, https://doi.org/10.23915/distill.00003).
        x = layers.Conv2DTranspose(
            filters,
            4,
            strides=2,
            padding="same",
            use_bias=norm is None,
            kernel_initializer="he_normal",
            name=f"{name}_conv",
        )(x)
        x = blocks.normalize(x, norm, name=f"{name}_norm")
        x = blocks.activate(x, "relu", name=name)
    scores = blocks.conv(x, num_classes, 1, name="head")
    return keras.Model(image, blocks.logits(scores, image), name="encoder_decoder")
