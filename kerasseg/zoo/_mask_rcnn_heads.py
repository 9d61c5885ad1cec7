"""The parts of Mask R-CNN behind its encoder, and the names of published weights."""

import keras
from keras import layers

from kerasseg import blocks
from kerasseg.detection import two_stage
from kerasseg.zoo._references import Reference

LEVELS = (2, 3, 4, 5, 6)
MASK_SIZE = 28  # of the mask head's output, twice that of its pooled features
# torchvision; the numbers in brackets are those of its newer files
FPN, BOX, MASK = r"^backbone\.fpn\.", r"^roi_heads\.box_", r"^roi_heads\.mask_"
RULES = (
    *((rf"{FPN}inner_blocks\.{i}\.(?:0\.)?", f"lateral{i + 2}.") for i in range(4)),
    *((rf"{FPN}layer_blocks\.{i}\.(?:0\.)?", f"output{i + 2}.") for i in range(4)),
    (r"^rpn\.head\.conv\.(?:0\.0\.)?(?=[wb])", "rpn_conv."),
    (r"^rpn\.head\.cls_logits\.", "rpn_objectness."),
    (r"^rpn\.head\.bbox_pred\.", "rpn_deltas."),
    *((rf"{BOX}head\.fc{i + 5}\.", f"box_dense{i}.") for i in (1, 2)),
    (rf"{BOX}predictor\.cls_score\.", "box_logits."),
    (rf"{BOX}predictor\.bbox_pred\.", "box_deltas."),
    *((rf"{MASK}head\.mask_fcn{i}\.", f"mask{i}_conv.") for i in range(1, 5)),
    *((rf"{MASK}head\.{i}\.0\.", f"mask{i + 1}_conv.") for i in range(4)),
    (rf"{MASK}predictor\.conv5_mask\.", "mask_up."),
    (rf"{MASK}predictor\.mask_fcn_logits\.", "mask_scores."),
)
RULES_V2 = (
    *((rf"{FPN}inner_blocks\.{i}\.1\.", f"lateral{i + 2}_norm.") for i in range(4)),
    *((rf"{FPN}layer_blocks\.{i}\.1\.", f"output{i + 2}_norm.") for i in range(4)),
    (r"^rpn\.head\.conv\.1\.0\.", "rpn2_conv."),
    *((rf"{BOX}head\.{i}\.0\.", f"box{i + 1}_conv.") for i in range(4)),
    *((rf"{BOX}head\.{i}\.1\.", f"box{i + 1}_norm.") for i in range(4)),
    (rf"{BOX}head\.5\.", "box_dense1."),
    *((rf"{MASK}head\.{i}\.1\.", f"mask{i + 1}_norm.") for i in range(4)),
    *RULES,
)
# Boxes are in pixels, whatever the size of the image.
PIXELS = {
    "encoder": "resnet50",
    "anchor_scales": (32, 64, 128, 256, 512),
    "canonical_box": 224,
    "corners": True,
}
V2 = {"norm": "batch", "rpn_convolutions": 2, "box_convolutions": 4}
# What is published for COCO was trained with other normalisations than torchvision
# builds today; it sets their epsilon to 0 when it loads that file, and only then.
REFERENCES = {
    "torchvision/maskrcnn_resnet50_fpn_coco": Reference(
        RULES, PIXELS, {"norm_epsilon": 0.0}, encoders=("resnet50",), num_classes=90
    ),
    "torchvision/maskrcnn_resnet50_fpn": Reference(RULES, PIXELS),
    "torchvision/maskrcnn_resnet50_fpn_v2": Reference(
        RULES_V2, {**PIXELS, **V2}, num_classes=90
    ),
}


def fpn(shapes, filters, norm):
    """Model from the taps of an encoder to the levels of the pyramid."""
    inputs = [keras.Input(shape, name=f"c{i}") for i, shape in enumerate(shapes, 2)]
    taps = {x.name: x for x in inputs}
    pyramid = blocks.feature_pyramid(taps, filters, levels=LEVELS, norm=norm)
    return keras.Model(inputs, pyramid, name="fpn")


def rpn_head(filters, norm, num_convolutions):
    """Objectness and box deltas of the anchors of any level."""
    features = x = keras.Input((None, None, filters), name="features")
    for step in range(1, num_convolutions + 1):
        name = "rpn" if step == 1 else f"rpn{step}"
        x = blocks.conv_norm_act(x, filters, norm=norm, name=name)
    found = {}
    for name, size in (("objectness", 1), ("deltas", 4)):
        y = blocks.score_conv(x, len(two_stage.RATIOS) * size, name=f"rpn_{name}")
        found[name] = blocks.rows(y, size, name=f"rpn_{name}_rows")
    return keras.Model(features, found, name="rpn_head")


def box_head(num_classes, filters, hidden, norm, num_convolutions):
    """Model from the features of one box to class logits and deltas per class."""
    features = x = keras.Input((7, 7, filters), name="features")
    for step in range(1, num_convolutions + 1):
        x = blocks.conv_norm_act(x, filters, norm=norm, name=f"box{step}")
    # Channels first, in the order of the published dense weights.
    x = layers.Permute((3, 1, 2), name="box_channels_first")(x)
    x = layers.Flatten(name="box_flat")(x)
    for step in (1,) if num_convolutions else (1, 2):
        x = layers.Dense(hidden, "relu", name=f"box_dense{step}")(x)
    num = num_classes + 1
    logits = layers.Dense(num, name="box_logits")(x)
    # As in detectron: the first boxes are the proposals themselves.
    small = keras.initializers.RandomNormal(stddev=0.001)
    deltas = layers.Dense(4 * num, kernel_initializer=small, name="box_deltas")(x)
    found = {
        "logits": blocks.logits(logits, name="logits"),
        "deltas": blocks.rows(deltas, 4, name="box_deltas_rows"),
    }
    return keras.Model(features, found, name="box_head")


def mask_head(num_classes, filters, norm):
    """Model from the features of one box to a mask per class."""
    size = MASK_SIZE // 2
    features = x = keras.Input((size, size, filters), name="features")
    for step in (1, 2, 3, 4):
        x = blocks.conv_norm_act(x, filters, norm=norm, name=f"mask{step}")
    x = layers.Conv2DTranspose(
        filters, 2, strides=2, kernel_initializer="he_normal", name="mask_up"
    )(x)
    x = blocks.activate(x, "relu", name="mask_up")
    x = blocks.score_conv(x, num_classes + 1, name="mask_scores")
    return keras.Model(features, blocks.logits(x, name="mask_logits"), name="mask_head")
