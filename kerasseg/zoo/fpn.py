"""Semantic FPN: a feature pyramid, each level brought to stride 4, summed."""

import keras
from keras import layers

from kerasseg import blocks, encoders
from kerasseg.layers import ResizeLike
from kerasseg.zoo._builder import builder
from kerasseg.zoo._references import Reference

# segmentation_models.pytorch
RULES = (
    (r"^decoder\.p5\.", "lateral5."),
    (r"^decoder\.p(\d)\.skip_conv\.", r"lateral\1."),
    *(
        (
            rf"^decoder\.seg_blocks\.{5 - level}\.block\.{step - 1}\.block\.{part}\.",
            f"segment{level}_{step}_{kind}.",
        )
        for level in (5, 4, 3, 2)
        for step in (1, 2, 3)
        for part, kind in enumerate(("conv", "norm"))
    ),
    (r"^segmentation_head\.0\.", "head."),
)
REFERENCES = {
    "smp/FPN": Reference(RULES, {"encoder": "resnet34", "align_corners": True})
}


@builder(references=REFERENCES)
def fpn(
    num_classes=21,
    encoder="resnet50",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    decoder_filters=(256, 128),
    norm="group",
    dropout=0.2,
    align_corners=False,
    weights=None,
):
    """Semantic FPN: 3x3 convolutions and doublings bring every level to stride 4.

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        decoder_filters: channels of the pyramid and of the segmentation branches.
        norm: "batch", "group" (the paper's), "layer" or None.
        dropout: rate of whole channels before the scores.
        align_corners: resize with coinciding corner pixels, as
            segmentation_models.pytorch.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes].

    Raises:
        ValueError: for an unknown encoder or norm.

    Reference: Kirillov et al., 2019, https://arxiv.org/abs/1901.02446
    """
    image = keras.Input(input_shape, name="image")
    taps = encoders.build(encoder, input_shape, weights=encoder_weights)(image)
    pyramid_filters, filters = decoder_filters
    levels = (5, 4, 3, 2)
    pyramid = blocks.top_down(
        [
            blocks.conv(taps[f"c{level}"], pyramid_filters, 1, name=f"lateral{level}")
            for level in levels
        ]
    )
    branches = []
    # From stride 32 three doublings lead to stride 4, from 16 two, from 8 one.
    for start, (level, x) in enumerate(zip(levels, pyramid), 1):
        finer = pyramid[start:]
        # The finest level gets one convolution too, without a doubling.
        for step in range(1, max(len(finer), 1) + 1):
            name = f"segment{level}_{step}"
            x = blocks.conv_norm_act(x, filters, norm=norm, name=name)
            if finer:
                up = ResizeLike(align_corners=align_corners, name=f"{name}_up")
                x = up([x, finer[step - 1]])
        branches.append(x)
    x = layers.Add(name="merge")(branches)
    x = layers.SpatialDropout2D(dropout, name="head_dropout")(x)
    scores = blocks.conv(x, num_classes, 1, name="head")
    outputs = blocks.logits(scores, image, align_corners=align_corners)
    return keras.Model(image, outputs, name="fpn")
