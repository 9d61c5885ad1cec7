"""DeepLab v1: dense features, scored by an atrous convolution."""

import keras
from keras import layers

from kerasseg import blocks, encoders
from kerasseg.encoders.atrous import check_output_stride
from kerasseg.zoo._builder import builder


@builder()
def deeplab_v1(
    num_classes=21,
    encoder="vgg16",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    output_stride=8,
    atrous_rates=(12,),
    decoder_filters=1024,
    dropout=0.5,
    weights=None,
):
    """DeepLab-LargeFOV: VGG16 at stride 8, its first dense layer as an atrous 3x3.

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        output_stride: 8, 16 or 32; VGG16 has no 16.
        atrous_rates: dilation of the 3x3; of several, the scores are summed.
        decoder_filters: channels of the two layers before the scores.
        dropout: rate behind each of them.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes].

    Raises:
        ValueError: for an unknown encoder or output stride.

    Reference: Chen et al., 2015, https://arxiv.org/abs/1412.7062
    """
    check_output_stride(output_stride, "deeplab_v1")
    image = keras.Input(input_shape, name="image")
    x = encoders.build(
        encoder, input_shape, weights=encoder_weights, output_stride=output_stride
    )(image)["c5"]
    scores = atrous_scores(x, num_classes, atrous_rates, decoder_filters, dropout)
    return keras.Model(image, blocks.logits(scores, image), name="deeplab_v1")


def atrous_scores(x, num_classes, rates, filters, dropout):
    """Sum of the class scores that 3x3 convolutions of several dilations give.

    Args:
        x: features [N, h, w, C].
        num_classes: channels of the scores.
        rates: dilations, one branch each.
        filters: channels of fc6 (the 3x3) and fc7 (1x1) before a branch's scores; 0
            scores by the 3x3 itself.
        dropout: rate behind fc6 and fc7.

    Returns:
        Scores [N, h, w, num_classes].
    """
    scores = []
    for rate in rates:
        name, branch = f"rate{rate}", x
        if filters:
            # fc6 and fc7 of VGG16 cut from 4096 channels, and fc6 from 7x7 to 3x3, as
            # the paper's LargeFOV: the dilation of 12 keeps the field of view.
            for layer, (size, dilation) in (("fc6", (3, rate)), ("fc7", (1, 1))):
                layer = f"{name}_{layer}"
                branch = blocks.conv(
                    branch, filters, size, dilation=dilation, name=layer
                )
                branch = layers.Activation("relu", name=f"{layer}_relu")(branch)
                branch = layers.Dropout(dropout, name=f"{layer}_dropout")(branch)
        size, dilation = (1, 1) if filters else (3, rate)
        scores.append(
            blocks.conv(
                branch, num_classes, size, dilation=dilation, name=f"{name}_score"
            )
        )
    return layers.Add(name="score")(scores) if len(scores) > 1 else scores[0]
