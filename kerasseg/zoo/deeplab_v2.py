"""DeepLab v2: the scores of several atrous convolutions, summed."""

import keras

from kerasseg import blocks, encoders
from kerasseg.encoders.atrous import check_output_stride
from kerasseg.zoo._builder import builder
from kerasseg.zoo.deeplab_v1 import atrous_scores


@builder()
def deeplab_v2(
    num_classes=21,
    encoder="resnet101",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    output_stride=8,
    atrous_rates=(6, 12, 18, 24),
    decoder_filters=None,
    dropout=0.5,
    weights=None,
):
    """DeepLab v2: the scores of several atrous rates, summed (the first ASPP).

    The paper trains on three scales of an image and takes the largest score; here
    that is left to the caller.

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        output_stride: 8, 16 or 32; VGG16 has no 16.
        atrous_rates: dilations of the 3x3 convolutions.
        decoder_filters: channels of two layers before the scores of each rate; None
            takes 1024 for "vgg16" and 0, no such layers, for others.
        dropout: rate behind each of these layers.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes].

    Raises:
        ValueError: for an unknown encoder or output stride.

    Reference: Chen et al., 2016, https://arxiv.org/abs/1606.00915
    """
    check_output_stride(output_stride, "deeplab_v2")
    # The authors' VGG16 keeps fc6 and fc7 in each branch; their ResNet101 is scored by
    # the atrous convolutions themselves.
    if decoder_filters is None:
        decoder_filters = 1024 if encoders.traits_of(encoder).convolutional_fc else 0
    image = keras.Input(input_shape, name="image")
    x = encoders.build(
        encoder, input_shape, weights=encoder_weights, output_stride=output_stride
    )(image)["c5"]
    scores = atrous_scores(x, num_classes, atrous_rates, decoder_filters, dropout)
    return keras.Model(image, blocks.logits(scores, image), name="deeplab_v2")
