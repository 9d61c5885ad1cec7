"""LR-ASPP: a head of two 1x1 convolutions and a gate, for MobileNetV3."""

import keras
from keras import layers

from kerasseg import blocks, encoders
from kerasseg.encoders.atrous import check_output_stride
from kerasseg.layers import ResizeLike
from kerasseg.zoo._builder import builder
from kerasseg.zoo._references import Reference

RULES = (
    (r"^classifier\.cbr\.0\.", "high_conv."),
    (r"^classifier\.cbr\.1\.", "high_norm."),
    (r"^classifier\.scale\.1\.", "gate_conv."),
    (r"^classifier\.low_classifier\.", "low_score."),
    (r"^classifier\.high_classifier\.", "high_score."),
)
REFERENCES = {
    "torchvision/lraspp_mobilenet_v3_large": Reference(
        RULES,
        {"encoder": "mobilenet_v3_large", "output_stride": 16},
        {"dilate_first": True},
        encoders=("mobilenet_v3_large",),
        num_classes=21,
    )
}


@builder(references=REFERENCES)
def lraspp(
    num_classes=21,
    encoder="mobilenet_v3_large",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    output_stride=16,
    decoder_filters=128,
    weights=None,
):
    """Lite reduced ASPP: a 1x1 on the deep features, gated by their averages.

    The gate averages the whole map, as torchvision's; the paper averages windows of
    49x49 and resizes.

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        output_stride: 8, 16 or 32.
        decoder_filters: channels of the deep branch.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes].

    Raises:
        ValueError: for an unknown encoder or output stride.

    Reference: Howard et al., 2019, https://arxiv.org/abs/1905.02244
    """
    check_output_stride(output_stride, "lraspp")
    image = keras.Input(input_shape, name="image")
    taps = encoders.build(
        encoder, input_shape, weights=encoder_weights, output_stride=output_stride
    )(image)
    high, low = taps["c5"], taps["c3"]
    x = blocks.conv_norm_act(high, decoder_filters, 1, name="high")
    gate = layers.GlobalAveragePooling2D(keepdims=True, name="gate_pool")(high)
    # No bias and no normalisation, as torchvision's files.
    gate = blocks.conv(gate, decoder_filters, 1, use_bias=False, name="gate_conv")
    gate = layers.Activation("sigmoid", name="gate_sigmoid")(gate)
    x = layers.Multiply(name="high_gated")([x, gate])
    x = ResizeLike(name="high_up")([x, low])
    scores = layers.Add(name="score")(
        [
            blocks.conv(low, num_classes, 1, name="low_score"),
            blocks.conv(x, num_classes, 1, name="high_score"),
        ]
    )
    return keras.Model(image, blocks.logits(scores, image), name="lraspp")
