"""DeepLabv3+: atrous spatial pyramid pooling and a small decoder."""

import keras
from keras import layers

from kerasseg import blocks, encoders
from kerasseg.encoders.atrous import check_output_stride
from kerasseg.layers import ResizeLike
from kerasseg.zoo import _openmmlab
from kerasseg.zoo._builder import builder
from kerasseg.zoo._references import Reference
from kerasseg.zoo.deeplab_v3 import RATES

# segmentation_models.pytorch
RULES = (
    *blocks.aspp_rules(r"decoder\.aspp\.0", rates=(12, 24, 36), separable=True),
    (r"^decoder\.aspp\.1\.0\.", "aspp_refine_depthwise_conv."),
    (r"^decoder\.aspp\.1\.1\.", "aspp_refine_pointwise_conv."),
    (r"^decoder\.aspp\.2\.", "aspp_refine_pointwise_norm."),
    (r"^decoder\.block1\.0\.", "decoder_low_conv."),
    (r"^decoder\.block1\.1\.", "decoder_low_norm."),
    (r"^decoder\.block2\.0\.0\.", "decoder1_depthwise_conv."),
    (r"^decoder\.block2\.0\.1\.", "decoder1_pointwise_conv."),
    (r"^decoder\.block2\.1\.", "decoder1_pointwise_norm."),
    (r"^segmentation_head\.0\.", "head."),
)
REFERENCES = {
    "smp/DeepLabV3Plus": Reference(
        RULES,
        {
            "encoder": "resnet34",
            "atrous_rates": (12, 24, 36),  # at stride 16, too
            "depthwise_norm": False,
            "refine_aspp": True,
            "decoder_filters": (256,),
            "align_corners": True,
        },
        {"dilate_first": True},
    ),
    "mmseg/DeepLabV3Plus": _openmmlab.reference(
        {
            **_openmmlab.aspp_parts((12, 24, 36), separable=True),
            "c1_bottleneck": "decoder_low",
            **{
                rf"sep_bottleneck\.{i}\.{kind}_conv": f"decoder{i + 1}_{kind}"
                for i in (0, 1)
                for kind in ("depthwise", "pointwise")
            },
        },
        {
            "output_stride": 8,
            "aspp_filters": 512,
            "project_kernel_size": 3,
            "decoder_filters": (512, 512),
        },
        score="head",
    ),
}


@builder(references=REFERENCES)
def deeplab_v3_plus(
    num_classes=21,
    encoder="resnet50",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    output_stride=16,
    atrous_rates=None,
    aspp_filters=256,
    project_kernel_size=1,
    decoder_filters=(256, 256),
    depthwise_norm=True,
    refine_aspp=False,
    align_corners=False,
    dropout=0.1,
    weights=None,
):
    """DeepLabv3+ as in the paper: separable ASPP, 48 low-level channels, two 3x3.

    segmentation_models.pytorch and mmsegmentation depart from it in some options, which
    `zoo.from_reference("smp/DeepLabV3Plus")` and "mmseg/DeepLabV3Plus" set.

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        output_stride: 8, 16 or 32.
        atrous_rates: dilations of ASPP; None takes 6, 12, 18 at stride 16 and twice
            them at 8; () leaves the 1x1 and image pooling (the paper's MobileNetV2).
        aspp_filters: channels of ASPP's branches and of their projection.
        project_kernel_size: of the convolution that joins the branches; 3 in
            mmsegmentation.
        decoder_filters: channels of the separable 3x3 convolutions at stride 4; ()
            leaves the decoder out and scores the ASPP features.
        depthwise_norm: normalise and activate between the depthwise and the pointwise
            part of separable convolutions, as the authors' code; False as
            segmentation_models.pytorch.
        refine_aspp: one more separable 3x3 convolution behind ASPP, as there.
        align_corners: resize with coinciding corner pixels, as there.
        dropout: rate after ASPP.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes].

    Raises:
        ValueError: for an unknown encoder or output stride.

    Reference: Chen et al., 2018, https://arxiv.org/abs/1802.02611
    """
    check_output_stride(output_stride, "deeplab_v3_plus")
    rates = RATES[output_stride] if atrous_rates is None else atrous_rates
    image = keras.Input(input_shape, name="image")
    taps = encoders.build(
        encoder, input_shape, weights=encoder_weights, output_stride=output_stride
    )(image)
    norm = {"depthwise_norm": depthwise_norm}
    x = blocks.aspp(
        taps["c5"],
        aspp_filters,
        rates=rates,
        separable=True,
        project_kernel_size=project_kernel_size,
        dropout=dropout,
        **norm,
    )
    if refine_aspp:
        x = blocks.separable_conv(x, aspp_filters, name="aspp_refine", **norm)
    if decoder_filters:
        # 48 did best in table 1: many more would outweigh the 256 channels of ASPP.
        low = blocks.conv_norm_act(taps["c2"], 48, 1, name="decoder_low")
        up = ResizeLike(align_corners=align_corners, name="decoder_up")
        x = up([x, low])
        x = layers.Concatenate(name="decoder_concat")([x, low])
    for index, filters in enumerate(decoder_filters, 1):
        x = blocks.separable_conv(x, filters, name=f"decoder{index}", **norm)
    scores = blocks.conv(x, num_classes, 1, name="head")
    outputs = blocks.logits(scores, image, align_corners=align_corners)
    return keras.Model(image, outputs, name="deeplab_v3_plus")
