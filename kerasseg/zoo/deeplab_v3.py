"""DeepLabv3: dense features and atrous spatial pyramid pooling."""

import keras

from kerasseg import blocks, encoders
from kerasseg.encoders.atrous import check_output_stride
from kerasseg.encoders.pretrained import load

RATES = {8: (12, 24, 36), 16: (6, 12, 18), 32: (3, 6, 9)}


def deeplab_v3(
    num_classes=21,
    encoder="resnet50",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    output_stride=8,
    atrous_rates=None,
    aux=False,
    weights=None,
):
    """DeepLabv3 with the head of torchvision: ASPP, one 3x3, one 1x1.

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        output_stride: 8, 16 or 32.
        atrous_rates: dilations of the 3x3 branches; None takes the paper's for the
            output stride: 12, 24, 36 at 8 and half of them at 16.
        aux: add the auxiliary FCN head on `c4`.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes]; with
        `aux` a dict {"logits", "aux"}.

    Raises:
        ValueError: for an unknown encoder or output stride.

    Reference: Chen et al., 2017, https://arxiv.org/abs/1706.05587
    """
    check_output_stride(output_stride, "deeplab_v3")
    rates = RATES[output_stride] if atrous_rates is None else atrous_rates
    image = keras.Input(input_shape, name="image")
    taps = encoders.build(
        encoder, input_shape, weights=encoder_weights, output_stride=output_stride
    )(image)
    x = blocks.aspp(taps["c5"], rates=rates)
    x = blocks.conv_norm_act(x, 256, name="head")
    scores = blocks.conv(x, num_classes, 1, name="head_score")
    outputs = blocks.logits(scores, image)
    if aux:
        scores = blocks.fcn_head(taps["c4"], num_classes, name="aux_head")
        outputs = {"logits": outputs, "aux": blocks.logits(scores, image, name="aux")}
    return load(keras.Model(image, outputs, name="deeplab_v3"), weights)
