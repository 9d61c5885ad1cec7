"""Fast-SCNN: detail and context share their first, shallow layers."""

import keras
from keras import layers

from kerasseg import blocks, encoders
from kerasseg.layers import ResizeLike
from kerasseg.zoo._builder import builder


@builder()
def fast_scnn(
    num_classes=21,
    encoder="scnn",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    decoder_filters=128,
    dropout=0.1,
    aux=False,
    weights=None,
):
    """Fast-SCNN: pyramid pooling on `c5`, fused with `c3`, two separable convolutions.

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        decoder_filters: channels of the decoder.
        dropout: rate of whole channels before the scores.
        aux: add the auxiliary FCN head on `c3`.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes]; with
        `aux` a dict {"logits", "aux"}.

    Raises:
        ValueError: for an unknown encoder.

    Reference: Poudel et al., 2019, https://arxiv.org/abs/1902.04502
    """
    image = keras.Input(input_shape, name="image")
    taps = encoders.build(encoder, input_shape, weights=encoder_weights)(image)
    x = taps["c5"]
    branches = blocks.pyramid_pooling(x, decoder_filters // 4, name="psp")
    x = layers.Concatenate(name="psp_concat")([x, *branches])
    x = blocks.conv_norm_act(x, decoder_filters, 1, name="psp")
    x = _fuse(x, taps["c3"], decoder_filters)
    for index in (1, 2):
        name = f"decoder{index}"
        x = blocks.depthwise_conv_norm_act(x, name=f"{name}_depthwise")
        x = blocks.conv_norm_act(x, decoder_filters, 1, name=name)
    x = layers.SpatialDropout2D(dropout, name="head_dropout")(x)
    scores = blocks.conv(x, num_classes, 1, name="head")
    outputs = blocks.logits(scores, image)
    # The paper's second auxiliary loss, behind the global features, is left out.
    sides = {"aux": taps["c3"]} if aux else {}
    outputs = blocks.side_logits(outputs, sides, num_classes, image)
    return keras.Model(image, outputs, name="fast_scnn")


def _fuse(deep, fine, filters):
    deep = ResizeLike(name="fuse_up")([deep, fine])
    # Dilated by the factor of the enlargement before it (table 2 of the paper).
    deep = blocks.depthwise_conv_norm_act(deep, dilation=4, name="fuse_deep_depthwise")
    parts = [
        blocks.conv_norm_act(x, filters, 1, activation=None, name=name)
        for x, name in ((deep, "fuse_deep"), (fine, "fuse_fine"))
    ]
    return blocks.activate(layers.Add(name="fuse_add")(parts), "relu", name="fuse")
