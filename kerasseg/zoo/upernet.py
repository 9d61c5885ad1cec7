"""UPerNet: pyramid pooling on top of a feature pyramid, all levels fused."""

import keras
from keras import layers

from kerasseg import blocks, encoders
from kerasseg.encoders import convnext
from kerasseg.layers import ResizeLike
from kerasseg.zoo import _openmmlab
from kerasseg.zoo._builder import builder
from kerasseg.zoo._references import Reference

# segmentation_models.pytorch; blocks of one convolution and one normalisation
PARTS = {
    **{rf"psp\.blocks\.{i}\.1": f"psp_bins{n}" for i, n in enumerate((1, 2, 3, 6))},
    r"psp\.out_conv": "psp",
    **{
        rf"fpn_lateral_blocks\.{i}\.conv_norm_relu": f"lateral{4 - i}" for i in range(3)
    },
    **{rf"fpn_conv_blocks\.{i}": f"pyramid{4 - i}" for i in range(3)},
    r"fusion_block": "fuse",
}
RULES = (
    *((rf"^decoder\.{a}\.0\.", f"{b}_conv.") for a, b in PARTS.items()),
    *((rf"^decoder\.{a}\.1\.", f"{b}_norm.") for a, b in PARTS.items()),
    *((rf"^decoder\.feature_norms\.{i}\.", f"norm{i + 2}.") for i in range(4)),
    (r"^segmentation_head\.0\.", "head."),
)
# mmsegmentation's, which Hugging Face took over; its levels count from 0
OPENMMLAB = {
    **{rf"psp_modules\.{i}\.1": f"psp_bins{n}" for i, n in enumerate((1, 2, 3, 6))},
    "bottleneck": "psp",
    **{rf"lateral_convs\.{i}": f"lateral{i + 2}" for i in range(3)},
    **{rf"fpn_convs\.{i}": f"pyramid{i + 2}" for i in range(3)},
    "fpn_bottleneck": "fuse",
}
PLAIN = {"decoder_filters": 512, "normalize_taps": False}
REFERENCES = {
    "smp/UPerNet": Reference(RULES, {"encoder": "resnet34", "align_corners": True}),
    "huggingface/upernet": Reference(
        _openmmlab.rules(OPENMMLAB, score="head"),
        {"encoder": "convnext_tiny", **PLAIN},
        {"normalize_taps": True},
        encoders=tuple(convnext.VARIANTS),
    ),
    "mmseg/UPerNet": _openmmlab.reference(OPENMMLAB, PLAIN, score="head"),
}


@builder(references=REFERENCES)
def upernet(
    num_classes=21,
    encoder="resnet50",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    decoder_filters=256,
    norm="batch",
    aux=False,
    normalize_taps=True,
    align_corners=False,
    weights=None,
):
    """UPerNet for semantic segmentation, as in segmentation_models.pytorch.

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        decoder_filters: channels of the decoder.
        norm: "batch", "group", "layer" or None.
        aux: add the auxiliary FCN head on `c4`, or on the tap that is named; Hugging
            Face's on ConvNeXt has other channels, and loads without it only.
        normalize_taps: normalise each tap over its channels first, which the paper does
            not: needed for transformers, harmless elsewhere.
        align_corners: resize the logits with coinciding corner pixels, as
            segmentation_models.pytorch; features never are.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes]; with
        `aux` a dict {"logits", "aux"}.

    Raises:
        ValueError: for an unknown encoder or norm.

    Reference: Xiao et al., 2018, https://arxiv.org/abs/1807.10221
    """
    image = keras.Input(input_shape, name="image")
    taps = encoders.build(encoder, input_shape, weights=encoder_weights)(image)
    options = {"norm": norm}
    tap_norm = "layer" if normalize_taps else None
    c5, *finer = (
        blocks.normalize(taps[f"c{level}"], tap_norm, name=f"norm{level}")
        for level in (5, 4, 3, 2)
    )
    x = [c5, *blocks.pyramid_pooling(c5, decoder_filters, name="psp", **options)]
    x = layers.Concatenate(name="psp_concat")(x)
    laterals = [blocks.conv_norm_act(x, decoder_filters, name="psp", **options)]
    for level, x in zip((4, 3, 2), finer):
        name = f"lateral{level}"
        laterals.append(
            blocks.conv_norm_act(x, decoder_filters, 1, name=name, **options)
        )
    # The coarsest level is not convolved again: pyramid pooling has just done that.
    top, *finer = blocks.top_down(laterals, interpolation="bilinear")
    pyramid = [
        blocks.conv_norm_act(x, decoder_filters, name=f"pyramid{level}", **options)
        for level, x in zip((4, 3, 2), finer)
    ]
    *coarse, finest = [top, *pyramid]
    resized = [
        ResizeLike(name=f"fuse_up{level}")([x, finest])
        for level, x in zip((5, 4, 3), coarse)
    ]
    # Fine to coarse, the order of the published weights.
    x = layers.Concatenate(name="fuse_concat")([finest, *resized[::-1]])
    x = blocks.conv_norm_act(x, decoder_filters, name="fuse", **options)
    scores = blocks.conv(x, num_classes, 1, name="head")
    outputs = blocks.logits(scores, image, align_corners=align_corners)
    sides = blocks.aux_sides(taps, aux)
    outputs = blocks.side_logits(outputs, sides, num_classes, image)
    return keras.Model(image, outputs, name="upernet")
