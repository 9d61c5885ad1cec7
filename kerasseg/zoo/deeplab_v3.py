"""DeepLabv3: dense features and atrous spatial pyramid pooling."""

import keras

from kerasseg import blocks, encoders
from kerasseg.encoders import resnet
from kerasseg.encoders.atrous import check_output_stride
from kerasseg.zoo import _openmmlab
from kerasseg.zoo._builder import builder
from kerasseg.zoo._references import Reference

RULES = (
    *blocks.aspp_rules(r"classifier\.0", rates=(12, 24, 36)),
    (r"^classifier\.1\.", "head_conv."),
    (r"^classifier\.2\.", "head_norm."),
    (r"^classifier\.4\.", "head_score."),
    (r"^aux_classifier\.0\.", "aux_head_conv."),
    (r"^aux_classifier\.1\.", "aux_head_norm."),
    (r"^aux_classifier\.4\.", "aux_head_score."),
)
# segmentation_models.pytorch; its first releases numbered the decoder's parts.
SMP_RULES = (
    *blocks.aspp_rules(r"decoder\.(?:aspp|0)", rates=(12, 24, 36)),
    (r"^decoder\.(?:conv|1)\.", "head_conv."),
    (r"^decoder\.(?:bn|2)\.", "head_norm."),
    (r"^segmentation_head\.0\.", "head_score."),
)
REFERENCES = {
    f"torchvision/deeplabv3_{encoder}": Reference(
        RULES, {"encoder": encoder}, encoders=resnet.NAMES, num_classes=21
    )
    for encoder in ("resnet50", "resnet101")
}
REFERENCES["torchvision/deeplabv3_mobilenet_v3_large"] = Reference(
    RULES,
    {
        "encoder": "mobilenet_v3_large",
        "output_stride": 16,
        # The rates of stride 8, although torchvision's MobileNetV3 works at 16.
        "atrous_rates": (12, 24, 36),
    },
    {"dilate_first": True},
    encoders=("mobilenet_v3_large",),
    num_classes=21,
)
REFERENCES["smp/DeepLabV3"] = Reference(
    SMP_RULES,
    # The rates are those of stride 8 at 16, too.
    {"encoder": "resnet34", "atrous_rates": (12, 24, 36), "align_corners": True},
    {"dilate_first": True},
)
REFERENCES["mmseg/DeepLabV3"] = _openmmlab.reference(
    _openmmlab.aspp_parts((12, 24, 36)),
    {"aspp_filters": 512, "project_kernel_size": 3, "head_conv": False},
)
# The paper's at strides 16 and 8, halved once more at 32.
RATES = {8: (12, 24, 36), 16: (6, 12, 18), 32: (3, 6, 9)}


@builder(references=REFERENCES)
def deeplab_v3(
    num_classes=21,
    encoder="resnet50",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    output_stride=8,
    atrous_rates=None,
    aspp_filters=256,
    project_kernel_size=1,
    head_conv=True,
    aux=False,
    align_corners=False,
    weights=None,
):
    """DeepLabv3 with the head of torchvision: ASPP, one 3x3, one 1x1.

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        output_stride: 8, 16 or 32.
        atrous_rates: dilations of the 3x3 branches; None takes the paper's for the
            output stride: 12, 24, 36 at 8 and half of them at 16.
        aspp_filters: channels of ASPP's branches and of what follows.
        project_kernel_size: of the convolution that joins the branches; 3 in
            mmsegmentation.
        head_conv: one more 3x3 convolution in front of the scores, torchvision's; in
            the paper and in mmsegmentation they follow the projection.
        aux: add the auxiliary FCN head on `c4`, or on the tap that is named ("c3" for
            torchvision's MobileNetV3).
        align_corners: resize with coinciding corner pixels, as
            segmentation_models.pytorch.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes]; with
        `aux` a dict {"logits", "aux"}.

    Raises:
        ValueError: for an unknown encoder or output stride.

    Reference: Chen et al., 2017, https://arxiv.org/abs/1706.05587
    """
    check_output_stride(output_stride, "deeplab_v3")
    rates = RATES[output_stride] if atrous_rates is None else atrous_rates
    image = keras.Input(input_shape, name="image")
    taps = encoders.build(
        encoder, input_shape, weights=encoder_weights, output_stride=output_stride
    )(image)
    options = {"rates": rates, "project_kernel_size": project_kernel_size}
    x = blocks.aspp(taps["c5"], aspp_filters, **options)
    if head_conv:
        x = blocks.conv_norm_act(x, aspp_filters, name="head")
    scores = blocks.conv(x, num_classes, 1, name="head_score")
    outputs = blocks.logits(scores, image, align_corners=align_corners)
    sides = blocks.aux_sides(taps, aux)
    outputs = blocks.side_logits(outputs, sides, num_classes, image)
    return keras.Model(image, outputs, name="deeplab_v3")
