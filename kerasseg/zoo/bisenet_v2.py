"""BiSeNetV2: a wide shallow path for detail, a narrow deep one for meaning."""

import keras
from keras import layers

from kerasseg import blocks, encoders
from kerasseg.encoders.resnet import MEAN, STD
from kerasseg.layers import Normalize, ResizeLike
from kerasseg.zoo._builder import builder

# Channels of the 3x3 convolutions, table 1 of the paper; the first of a row strides.
DETAIL = ((64, 64), (64, 64, 64), (128, 128, 128))


@builder()
def bisenet_v2(
    num_classes=21,
    encoder="gather_expand",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    decoder_filters=1024,
    dropout=0.1,
    deep_supervision=False,
    weights=None,
):
    """BiSeNetV2: the encoder is the semantic branch, the detail branch lies beside it.

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        decoder_filters: channels of the head.
        dropout: rate of whole channels before the scores.
        deep_supervision: score `c2` to `c5` too (the paper's booster).
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes]; with
        `deep_supervision` a dict {"logits", "aux1", ..., "aux4"}.

    Raises:
        ValueError: for an unknown encoder.

    Reference: Yu et al., 2021, https://arxiv.org/abs/2004.02147
    """
    image = keras.Input(input_shape, name="image")
    taps = encoders.build(encoder, input_shape, weights=encoder_weights)(image)
    # A path of its own: the encoder normalises the image for itself.
    detail = Normalize(MEAN, STD, name="detail_normalize")(image)
    for stage, row in enumerate(DETAIL, 1):
        for index, filters in enumerate(row):
            detail = blocks.conv_norm_act(
                detail,
                filters,
                strides=1 if index else 2,
                name=f"detail{stage}_{index}",
            )
    x = _aggregate(detail, taps["c5"])
    outputs = blocks.logits(
        _head(x, decoder_filters, num_classes, dropout, name="head"), image
    )
    if deep_supervision:
        outputs = {"logits": outputs}
        for number in (1, 2, 3, 4):
            x, name = taps[f"c{number + 1}"], f"aux{number}"
            scores = _head(x, 128, num_classes, dropout, name=f"{name}_head")
            # At image size, so that one loss fits all outputs.
            outputs[name] = blocks.logits(scores, image, name=name)
    return keras.Model(image, outputs, name="bisenet_v2")


def _head(x, filters, num_classes, dropout, *, name):
    x = blocks.conv_norm_act(x, filters, name=name)
    x = layers.SpatialDropout2D(dropout, name=f"{name}_dropout")(x)
    return blocks.conv(x, num_classes, 1, name=f"{name}_score")


def _aggregate(detail, semantic):
    """Each branch gates the other, once at stride 8 and once at stride 32."""
    filters = detail.shape[-1]
    fine = _separable(detail, filters, "detail_fine")
    small = blocks.conv_norm_act(
        detail, filters, strides=2, activation=None, name="detail_coarse"
    )
    # Zeros at the border count in the average, as in PyTorch, unlike with "same".
    small = layers.ZeroPadding2D(1, name="detail_pool_pad")(small)
    small = layers.AveragePooling2D(3, 2, name="detail_pool")(small)
    gate = blocks.conv_norm_act(
        semantic, filters, activation=None, name="semantic_fine"
    )
    gate = ResizeLike(name="semantic_fine_up")([gate, fine])
    gate = layers.Activation("sigmoid", name="semantic_fine_sigmoid")(gate)
    fine = layers.Multiply(name="fine")([fine, gate])
    gate = _separable(semantic, filters, "semantic_coarse")
    gate = ResizeLike(name="semantic_coarse_fit")([gate, small])
    gate = layers.Activation("sigmoid", name="semantic_coarse_sigmoid")(gate)
    coarse = layers.Multiply(name="coarse")([small, gate])
    coarse = ResizeLike(name="coarse_up")([coarse, fine])
    x = layers.Add(name="aggregate_add")([fine, coarse])
    return blocks.conv_norm_act(x, filters, name="aggregate")


def _separable(x, filters, name):
    x = blocks.depthwise_conv_norm_act(x, activation=None, name=f"{name}_depthwise")
    return blocks.conv(x, filters, 1, use_bias=False, name=f"{name}_point")
