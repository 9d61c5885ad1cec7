"""DeepLabv3+: atrous spatial pyramid pooling and a small decoder."""

import keras
from keras import layers

from kerasseg import blocks, encoders
from kerasseg.encoders.atrous import check_output_stride
from kerasseg.layers import ResizeLike
from kerasseg.zoo._builder import builder
from kerasseg.zoo.deeplab_v3 import RATES


@builder()
def deeplab_v3_plus(
    num_classes=21,
    encoder="resnet50",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    output_stride=16,
    atrous_rates=None,
    decoder_filters=(256, 256),
    dropout=0.1,
    weights=None,
):
    """DeepLabv3+ as in the paper: separable ASPP, 48 low-level channels, two 3x3.

    segmentation_models.pytorch departs from it (one convolution in the decoder, rates
    12/24/36 at stride 16); `decoder_filters` and `atrous_rates` cover such forms.

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        output_stride: 8, 16 or 32.
        atrous_rates: dilations of ASPP; None takes 6, 12, 18 at stride 16 and twice
            them at 8; () leaves the 1x1 and image pooling (the paper's MobileNetV2).
        decoder_filters: channels of the separable 3x3 convolutions at stride 4; ()
            leaves the decoder out and scores the ASPP features.
        dropout: rate after ASPP.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes].

    Raises:
        ValueError: for an unknown encoder or output stride.

    Reference: Chen et al., 2018, https://arxiv.org/abs/1802.02611
    """
    check_output_stride(output_stride, "deeplab_v3_plus")
    rates = RATES[output_stride] if atrous_rates is None else atrous_rates
    image = keras.Input(input_shape, name="image")
    taps = encoders.build(
        encoder, input_shape, weights=encoder_weights, output_stride=output_stride
    )(image)
    x = blocks.aspp(taps["c5"], rates=rates, separable=True, dropout=dropout)
    if decoder_filters:
        # 48 did best in table 1: many more would outweigh the 256 channels of ASPP.
        low = blocks.conv_norm_act(taps["c2"], 48, 1, name="decoder_low")
        x = ResizeLike(name="decoder_up")([x, low])
        x = layers.Concatenate(name="decoder_concat")([x, low])
    for index, filters in enumerate(decoder_filters, 1):
        x = blocks.separable_conv(x, filters, name=f"decoder{index}")
    scores = blocks.conv(x, num_classes, 1, name="head")
    return keras.Model(image, blocks.logits(scores, image), name="deeplab_v3_plus")
