"""OCRNet: every position attends to the average features of each class."""

import keras
from keras import layers

from kerasseg import blocks, encoders
from kerasseg.layers import DotAttention, PositionSoftmax, ResizeLike
from kerasseg.zoo._builder import builder
from kerasseg.zoo._references import Reference

# the authors' names; normalisations lie in a sequence of their own
BLOCK = r"^(?:model\.)?ocr_distri_head\.object_context_block\."
OBJECTS = {"f_pixel": "query", "f_object": "key", "f_down": "value", "f_up": "context"}
RULES = (
    (r"^(?:model\.)?conv3x3_ocr\.0\.", "pixels_conv."),
    (r"^(?:model\.)?conv3x3_ocr\.1\.(?:0\.)?", "pixels_norm."),
    (r"^(?:model\.)?aux_head\.0\.", "aux_head_conv."),
    (r"^(?:model\.)?aux_head\.1\.(?:0\.)?", "aux_head_norm."),
    (r"^(?:model\.)?aux_head\.[23]\.", "aux_head_score."),
    *(
        rule
        for theirs, ours in OBJECTS.items()
        for step in (1, 2)
        for rule in (
            (BLOCK + rf"{theirs}\.{2 * step - 2}\.", f"{ours}{step}_conv."),
            (BLOCK + rf"{theirs}\.{2 * step - 1}\.0\.", f"{ours}{step}_norm."),
        )
    ),
    (r"^(?:model\.)?ocr_distri_head\.conv_bn_dropout\.0\.", "fuse_conv."),
    (r"^(?:model\.)?ocr_distri_head\.conv_bn_dropout\.1\.0\.", "fuse_norm."),
    (r"^(?:model\.)?cls_head\.", "head."),
)
REFERENCES = {
    "hrnet/ocr": Reference(
        RULES,
        {"encoder": "hrnet_w48", "align_corners": True},
        {"align_corners": True},
        encoders=("hrnet_w18", "hrnet_w32", "hrnet_w48"),
    )
}


@builder(references=REFERENCES)
def ocrnet(
    num_classes=21,
    encoder="hrnet_w48",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    decoder_filters=(512, 256),
    dropout=0.05,
    aux=False,
    align_corners=False,
    weights=None,
):
    """Object-contextual representations on the four finest levels, joined at stride 4.

    First scores, by two 1x1 convolutions, say how much each position belongs to each
    class. They weigh the average of each class, which positions then attend to. The
    weights are a softmax over all positions of the image, so a tile of an image gets
    other logits than the same pixels within the whole image.

    Args:
        num_classes: channels of the logits; 1 is one binary logit, but then there is
            only one region to attend to: 2 make better use of it.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        decoder_filters: channels of the features and of the attention.
        dropout: rate of whole channels before the scores.
        aux: give the first scores too, which want a loss of their own (0.4 of it).
        align_corners: resize with coinciding corner pixels, as the published networks.
        weights: None or a path to weights of the whole model (the authors' names).

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes]; with
        `aux` a dict {"logits", "aux"}.

    Raises:
        ValueError: for an unknown encoder.

    Reference: Yuan et al., 2020, https://arxiv.org/abs/1909.11065
    """
    image = keras.Input(input_shape, name="image")
    taps = encoders.build(encoder, input_shape, weights=encoder_weights)(image)
    filters, attention_filters = decoder_filters
    joined = [taps["c2"]]
    for level in (3, 4, 5):
        up = ResizeLike(align_corners=align_corners, name=f"join_up{level}")
        joined.append(up([taps[f"c{level}"], joined[0]]))
    x = layers.Concatenate(name="join")(joined)
    # A coarse segmentation that is only good enough to average over; its loss is `aux`.
    first = _conv(x, x.shape[-1], 1, name="aux_head")
    first = blocks.conv(first, num_classes, 1, name="aux_head_score")
    pixels = _conv(x, filters, 3, name="pixels")
    context = _attend_to_classes(pixels, first, attention_filters)
    x = layers.Concatenate(name="fuse_concat")([context, pixels])
    x = blocks.conv_norm_act(x, filters, 1, name="fuse")
    x = layers.SpatialDropout2D(dropout, name="head_dropout")(x)
    scores = blocks.conv(x, num_classes, 1, name="head")
    outputs = blocks.logits(scores, image, align_corners=align_corners)
    if aux:
        first = blocks.logits(first, image, align_corners=align_corners, name="aux")
        outputs = {"logits": outputs, "aux": first}
    return keras.Model(image, outputs, name="ocrnet")


def _conv(x, filters, kernel_size, *, name):
    """The authors' networks have a bias even where a normalisation follows."""
    x = blocks.conv(x, filters, kernel_size, name=f"{name}_conv")
    x = blocks.normalize(x, name=f"{name}_norm")
    return blocks.activate(x, "relu", name=name)


def _attend_to_classes(pixels, scores, filters):
    """Average features by class, weights from a softmax over positions; attend."""
    channels, num_classes = pixels.shape[-1], scores.shape[-1]
    flat = layers.Reshape((-1, num_classes), name="regions_flat")(scores)  # [N, HW, K]
    flat = PositionSoftmax(name="regions_weights")(flat)
    values = layers.Reshape((-1, channels), name="pixels_flat")(pixels)  # [N, HW, C]
    regions = layers.Dot((1, 1), name="regions")([flat, values])  # [N, K, C]
    # [N, K, 1, C]: a map of one row per class, for the 1x1 convolutions below.
    regions = layers.Reshape((num_classes, 1, channels), name="regions_map")(regions)
    query, key, value = pixels, regions, regions
    for step in (1, 2):
        query = blocks.conv_norm_act(query, filters, 1, name=f"query{step}")
        key = blocks.conv_norm_act(key, filters, 1, name=f"key{step}")
    value = blocks.conv_norm_act(value, filters, 1, name="value1")
    context = DotAttention(name="attention")([query, key, value])
    return blocks.conv_norm_act(context, channels, 1, name="context1")
