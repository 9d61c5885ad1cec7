"""SegFormer: linear projections of four levels, fused by one more."""

import keras
from keras import layers

from kerasseg import blocks, encoders
from kerasseg.encoders import mix_transformer
from kerasseg.layers import ResizeLike
from kerasseg.zoo._builder import builder
from kerasseg.zoo._references import Reference

AUTHORS = (
    *((rf"^decode_head\.linear_c{i}\.proj\.", f"project{i + 1}.") for i in range(1, 5)),
    (r"^decode_head\.linear_fuse\.conv\.", "fuse_conv."),
    (r"^decode_head\.linear_fuse\.bn\.", "fuse_norm."),
    (r"^decode_head\.linear_pred\.", "head."),
    (r"^decode_head\.conv_seg\.", None),
)
HUGGING_FACE = (
    *(  # transformers 5 calls linear_c linear_projections
        (
            rf"^decode_head\.(?:linear_c|linear_projections)\.{i}\.proj\.",
            f"project{i + 2}.",
        )
        for i in range(4)
    ),
    (r"^decode_head\.linear_fuse\.", "fuse_conv."),
    (r"^decode_head\.batch_norm\.", "fuse_norm."),
    (r"^decode_head\.classifier\.", "head."),
)
SMP = (  # coarse to fine
    *((rf"^decoder\.mlp_stage\.{i}\.linear\.", f"project{5 - i}.") for i in range(5)),
    (r"^decoder\.fuse_stage\.0\.", "fuse_conv."),
    (r"^decoder\.fuse_stage\.1\.", "fuse_norm."),
    (r"^segmentation_head\.0\.", "head."),
)
MIT = tuple(mix_transformer.VARIANTS)
REFERENCES = {
    "nvlabs/segformer": Reference(AUTHORS, encoders=MIT),
    "huggingface/segformer": Reference(HUGGING_FACE, encoders=MIT),
    "smp/Segformer": Reference(
        SMP, {"align_corners": True, "use_c1": True, "decoder_filters": 256}
    ),
}


@builder(references=REFERENCES)
def segformer(
    num_classes=21,
    encoder="mit_b0",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    decoder_filters=None,
    dropout=0.1,
    align_corners=False,
    use_c1=False,
    weights=None,
):
    """SegFormer with the head of the paper, on MiT B0 to B5 or any other encoder.

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        decoder_filters: channels of the head; None takes the paper's, 768 from "mit_b2"
            to "mit_b5" and 256 for other encoders.
        dropout: rate of whole channels before the scores.
        align_corners: resize the logits with coinciding corner pixels, as
            segmentation_models.pytorch; features never are.
        use_c1: project the level at stride 2, too, where the encoder has one, as
            segmentation_models.pytorch.
        weights: None or a path to weights of the whole model: names of the authors, of
            Hugging Face or of segmentation_models.pytorch.

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes].

    Raises:
        ValueError: for an unknown encoder.

    Reference: Xie et al., 2021, https://arxiv.org/abs/2105.15203
    """
    if decoder_filters is None:
        decoder_filters = encoders.traits_of(encoder).head_filters or 256
    image = keras.Input(input_shape, name="image")
    taps = encoders.build(encoder, input_shape, weights=encoder_weights)(image)
    projected = []
    levels = (5, 4, 3, 2, 1) if use_c1 and "c1" in taps else (5, 4, 3, 2)
    for level in levels:
        name = f"project{level}"
        # A Dense layer is the 1x1 convolution of the paper's linear projections.
        x = layers.Dense(decoder_filters, name=name)(taps[f"c{level}"])
        projected.append(ResizeLike(name=f"{name}_up")([x, taps["c2"]]))
    # Coarse to fine, the order of the published weights.
    x = layers.Concatenate(name="fuse_concat")(projected)
    x = blocks.conv_norm_act(x, decoder_filters, 1, name="fuse")
    x = layers.SpatialDropout2D(dropout, name="head_dropout")(x)
    scores = blocks.conv(x, num_classes, 1, name="head")
    outputs = blocks.logits(scores, image, align_corners=align_corners)
    return keras.Model(image, outputs, name="segformer")
