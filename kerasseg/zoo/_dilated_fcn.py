"""The FCN of torchvision: dense features, scored by two convolutions and resized."""

import keras

from kerasseg import blocks, encoders
from kerasseg.encoders import resnet
from kerasseg.zoo import _openmmlab
from kerasseg.zoo._references import Reference

# torchvision's names; 2 and 3 of its heads are the ReLU and the dropout.
RULES = (
    (r"^classifier\.0\.", "head_conv."),
    (r"^classifier\.1\.", "head_norm."),
    (r"^classifier\.4\.", "head_score."),
    (r"^aux_classifier\.0\.", "aux_head_conv."),
    (r"^aux_classifier\.1\.", "aux_head_norm."),
    (r"^aux_classifier\.4\.", "aux_head_score."),
)
REFERENCES = {
    f"torchvision/fcn_{encoder}": Reference(
        RULES, {"encoder": encoder}, encoders=resnet.NAMES, num_classes=21
    )
    for encoder in ("resnet50", "resnet101")
}
REFERENCES["mmseg/FCN"] = _openmmlab.reference(
    {r"convs\.0": "head", r"convs\.1": "head2", "conv_cat": "head_fuse"},
    {"num_convs": 2, "concat_input": True},
)


def dilated_fcn(
    num_classes,
    encoder,
    *,
    encoder_weights,
    input_shape,
    output_stride,
    num_convs,
    concat_input,
    aux,
):
    """FCN on any encoder, made dense to `output_stride`; see `zoo.fcn`."""
    image = keras.Input(input_shape, name="image")
    taps = encoders.build(
        encoder, input_shape, weights=encoder_weights, output_stride=output_stride
    )(image)
    options = {"num_convs": num_convs, "concat_input": concat_input}
    scores = blocks.fcn_head(taps["c5"], num_classes, **options)
    outputs = blocks.logits(scores, image)
    sides = blocks.aux_sides(taps, aux)
    outputs = blocks.side_logits(outputs, sides, num_classes, image)
    return keras.Model(image, outputs, name="fcn")
