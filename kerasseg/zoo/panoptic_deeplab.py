"""Panoptic-DeepLab: classes, object centres, and offsets to them at each pixel."""

import keras
from keras import layers, ops

from kerasseg import blocks, encoders
from kerasseg.detection import losses as terms
from kerasseg.encoders.atrous import check_output_stride
from kerasseg.layers import ResizeLike
from kerasseg.losses import TopK
from kerasseg.zoo._builder import builder
from kerasseg.zoo.deeplab_v3 import RATES

STRIDE = 4  # of the decoders


def panoptic_deeplab_losses(model, images, truth, *, seed=None, divide=terms.divide):
    """Losses of Panoptic-DeepLab, three terms.

    The paper also triples the weight of small objects in the first; that is left out.
    `kerasseg.zoo` describes the common form; `seed` is not used.

    Args:
        model: of `panoptic_deeplab`.
        images: [N, H, W, C], raw 0..255.
        truth: dict of label int [N, H, W], 255 ignored, and of what
            `instance.panoptic.panoptic_targets` makes: centers [N, H, W, 1], offsets
            [N, H, W, 2], weights [N, H, W, 1].

    Returns:
        dict of scalars: "semantic", cross-entropy of the hardest 15 % of the pixels;
        "centers" (times 200); "offsets" (times 0.01).
    """
    found = model(images, training=True)
    semantic = TopK(0.15).call(truth["label"], found["logits"])
    centers, offsets = terms.offset_losses(
        found["centers"], found["offsets"], truth, divide=divide
    )
    return {  # weights of the paper
        "semantic": ops.mean(semantic),
        "centers": 200.0 * centers,
        "offsets": 0.01 * offsets,
    }


@builder("panoptic", losses=panoptic_deeplab_losses)
def panoptic_deeplab(
    num_classes=19,
    encoder="resnet50",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    output_stride=16,
    atrous_rates=None,
    dropout=0.1,
    weights=None,
):
    """Panoptic-DeepLab: two decoders on one encoder, without boxes or suppression.

    `instance.panoptic.panoptic_targets` makes the truth,
    `zoo.panoptic_deeplab.losses` trains, `instance.panoptic.decode` joins
    the outputs to a panoptic map, `metrics.panoptic` scores it.

    Args:
        num_classes: C, things and stuff together.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        output_stride: 8, 16 or 32.
        atrous_rates: dilations of both ASPPs; None takes 6, 12, 18 at stride 16 and
            twice them at 8.
        dropout: rate after ASPP.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> dict of logits [N, H, W, num_classes],
        centers [N, H, W, 1], about 0..1, and offsets [N, H, W, 2], (x, y) in pixels
        from each pixel to the centre of its object; all float32.

    Raises:
        ValueError: for an unknown encoder or output stride.

    Reference: Cheng et al., 2020, https://arxiv.org/abs/1911.10194
    """
    check_output_stride(output_stride, "panoptic_deeplab")
    rates = RATES[output_stride] if atrous_rates is None else atrous_rates
    image = keras.Input(input_shape, name="image")
    taps = encoders.build(
        encoder, input_shape, weights=encoder_weights, output_stride=output_stride
    )(image)
    semantic = _decode(taps, 256, (64, 32), rates, dropout, name="semantic")
    instance = _decode(taps, 128, (32, 16), rates, dropout, name="instance")
    # 256 and 32 channels before the scores, as in detectron2's Panoptic-DeepLab.
    scores = _score(semantic, 256, num_classes, name="semantic_head")
    centers = _score(instance, 32, 1, name="centers_head")
    offsets = _score(instance, 32, 2, name="offsets_head")
    # The head predicts offsets in pixels of its own map.
    scale = layers.Rescaling(STRIDE, dtype="float32", name="offsets_scale")
    outputs = {
        "logits": blocks.logits(scores, image),
        "centers": blocks.logits(centers, image, name="centers"),
        "offsets": blocks.logits(scale(offsets), image, name="offsets"),
    }
    return keras.Model(image, outputs, name="panoptic_deeplab")


def _decode(taps, filters, low_filters, rates, dropout, *, name):
    """ASPP, then up to strides 8 and 4, at each a few channels of the encoder."""
    x = blocks.aspp(taps["c5"], rates=rates, dropout=dropout, name=f"{name}_aspp")
    for level, low in zip((3, 2), low_filters):
        skip = blocks.conv_norm_act(
            taps[f"c{level}"], low, 1, name=f"{name}_low{level}"
        )
        x = ResizeLike(name=f"{name}_up{level}")([x, skip])
        x = layers.Concatenate(name=f"{name}_concat{level}")([x, skip])
        x = _separable(x, filters, name=f"{name}{level}")
    return x


def _separable(x, filters, *, name):
    # 5x5 as in the paper, where DeepLabv3+ has 3x3.
    x = blocks.depthwise_conv_norm_act(x, 5, name=f"{name}_depthwise")
    return blocks.conv_norm_act(x, filters, 1, name=f"{name}_pointwise")


def _score(x, filters, num, *, name):
    return blocks.score_conv(_separable(x, filters, name=name), num, name=name)
