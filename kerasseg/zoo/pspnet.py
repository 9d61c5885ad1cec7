"""PSPNet: pyramid pooling, averages over grids of several sizes, as context."""

import keras
from keras import layers

from kerasseg import blocks, encoders
from kerasseg.encoders.atrous import check_output_stride
from kerasseg.zoo import _openmmlab
from kerasseg.zoo._builder import builder
from kerasseg.zoo._references import Reference

# segmentation_models.pytorch, the lightweight form; its pools are numbered
RULES = (
    *(
        (
            rf"^decoder\.psp\.blocks\.{index}\.pool\.1\.{part}\.",
            f"psp_bins{bins}_{kind}.",
        )
        for index, bins in enumerate((1, 2, 3, 6))
        for part, kind in enumerate(("conv", "norm"))
    ),
    (r"^decoder\.conv\.0\.", "head_conv."),
    (r"^decoder\.conv\.1\.", "head_norm."),
    (r"^segmentation_head\.0\.", "head_score."),
)
OPENMMLAB = {
    **{rf"psp_modules\.{i}\.1": f"psp_bins{n}" for i, n in enumerate((1, 2, 3, 6))},
    "bottleneck": "head",
}
REFERENCES = {
    "smp/PSPNet": Reference(
        RULES, {"encoder": "resnet34", "lightweight": True, "align_corners": True}
    ),
    "mmseg/PSPNet": _openmmlab.reference(OPENMMLAB),
}


@builder(references=REFERENCES)
def pspnet(
    num_classes=21,
    encoder="resnet50",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    output_stride=8,
    dropout=0.1,
    aux=False,
    lightweight=False,
    align_corners=False,
    weights=None,
):
    """PSPNet as in the paper, or the lightweight form of segmentation_models.pytorch.

    The lightweight form pools `c3` and keeps the rest of the encoder only for its
    weights, has no normalisation at the 1x1 bin, and swaps the kernels of the last two
    convolutions (1x1, then 3x3).

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        output_stride: 8, 16 or 32.
        dropout: rate of whole channels before the scores.
        aux: add the auxiliary FCN head on `c4`, or on the tap that is named.
        lightweight: build the lightweight form.
        align_corners: resize with coinciding corner pixels, as the published networks.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes]; with
        `aux` a dict {"logits", "aux"}.

    Raises:
        ValueError: for an unknown encoder or output stride.

    Reference: Zhao et al., 2017, https://arxiv.org/abs/1612.01105
    """
    check_output_stride(output_stride, "pspnet")
    image = keras.Input(input_shape, name="image")
    taps = encoders.build(
        encoder, input_shape, weights=encoder_weights, output_stride=output_stride
    )(image)
    x = taps["c3" if lightweight else "c5"]
    options = {"align_corners": align_corners, "name": "psp"}
    # A quarter each, for four branches: together they weigh as much as the features.
    filters, kernels = x.shape[-1] // 4, (1, 3) if lightweight else (3, 1)
    norm = None if lightweight else "batch"
    branches = blocks.pyramid_pooling(x, filters, bins=(1,), norm=norm, **options)
    branches += blocks.pyramid_pooling(x, filters, bins=(2, 3, 6), **options)
    # Published weights expect the features behind the lightweight form's branches.
    branches = [*branches, x] if lightweight else [x, *branches]
    x = layers.Concatenate(name="psp_concat")(branches)
    # 512 on every encoder, an eighth of what ResNet50 and its branches give.
    x = blocks.conv_norm_act(x, 512, kernels[0], name="head")
    x = layers.SpatialDropout2D(dropout, name="head_dropout")(x)
    scores = blocks.conv(x, num_classes, kernels[1], name="head_score")
    outputs = blocks.logits(scores, image, align_corners=align_corners)
    sides = blocks.aux_sides(taps, aux)
    outputs = blocks.side_logits(outputs, sides, num_classes, image)
    return keras.Model(image, outputs, name="pspnet")
