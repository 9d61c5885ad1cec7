"""LinkNet: narrow transposed convolutions, skips added instead of concatenated."""

import keras
from keras import layers

from kerasseg import blocks, encoders
from kerasseg.layers import ResizeLike
from kerasseg.zoo._builder import builder
from kerasseg.zoo._references import Reference

# segmentation_models.pytorch
RULES = (
    *(
        (
            rf"^decoder\.blocks\.{block}\.block\.{step}\.{part}\.",
            f"decoder{block + 1}_{name}_{kind}.",
        )
        for block in range(5)
        for step, name in enumerate(("reduce", "up", "expand"))
        for part, kind in enumerate(("conv", "norm"))
    ),
    (r"^segmentation_head\.0\.", "head."),
)
REFERENCES = {"smp/Linknet": Reference(RULES, {"encoder": "resnet34"})}


@builder(references=REFERENCES)
def linknet(
    num_classes=21,
    encoder="resnet34",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    decoder_filters=32,
    norm="batch",
    weights=None,
):
    """LinkNet: each step reduces the channels to a quarter and doubles the size.

    The paper ends in a 3x3 and a 2x2 transposed convolution; this is the form of
    segmentation_models.pytorch, with a fifth step like the others and a 1x1.

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        decoder_filters: channels of the last step; the others have those of the skips.
        norm: "batch", "group", "layer" or None.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes].

    Raises:
        ValueError: for an unknown encoder or norm.

    Reference: Chaurasia & Culurciello, 2017, https://arxiv.org/abs/1707.03718
    """
    image = keras.Input(input_shape, name="image")
    taps = encoders.build(encoder, input_shape, weights=encoder_weights)(image)
    x = taps["c5"]
    for level, skip in enumerate([*blocks.skips_of(taps), None], 1):
        name = f"decoder{level}"
        filters = x.shape[-1] if skip is None else skip.shape[-1]
        filters = decoder_filters if level == 5 else filters
        x = _double(x, filters, norm, name)
        if skip is not None or level == 5:
            like = image if skip is None else skip
            x = ResizeLike("nearest", name=f"{name}_fit")([x, like])
        if skip is not None:
            x = layers.Add(name=f"{name}_skip")([x, skip])
    scores = blocks.conv(x, num_classes, 1, name="head")
    return keras.Model(image, blocks.logits(scores), name="linknet")


def _double(x, filters, norm, name):
    # m / 4 of the paper's figure 2: the step that doubles the size is the cheap one.
    narrow = x.shape[-1] // 4
    x = blocks.conv_norm_act(x, narrow, 1, norm=norm, name=f"{name}_reduce")
    # With a bias although a normalisation follows, as published weights have it.
    x = layers.Conv2DTranspose(
        narrow,
        4,
        strides=2,
        padding="same",
        kernel_initializer="he_normal",
        name=f"{name}_up_conv",
    )(x)
    x = blocks.normalize(x, norm, name=f"{name}_up_norm")
    x = blocks.activate(x, "relu", name=f"{name}_up")
    return blocks.conv_norm_act(x, filters, 1, norm=norm, name=f"{name}_expand")
