"""UNet++: nested, densely connected skips."""

import keras
from keras import layers

from kerasseg import blocks, encoders
from kerasseg.zoo._builder import builder
from kerasseg.zoo._references import Reference

# segmentation_models.pytorch, whose x_{depth}_{layer} is the paper's node of level
# 4 - layer after layer - depth + 1 steps
RULES = (
    *(
        (
            rf"^decoder\.blocks\.x_{depth}_{layer}\.conv(\d)\.{part}\.",
            rf"node{4 - layer}_{layer - depth + 1}_\1_{kind}.",
        )
        for layer in range(5)
        for depth in range(layer + 1)
        for part, kind in enumerate(("conv", "norm"))
    ),
    *blocks.attend_rules(
        (
            rf"decoder\.blocks\.x_{depth}_{layer}\.attention{place}",
            f"node{4 - layer}_{layer - depth + 1}_{name}",
        )
        for layer in range(5)
        for depth in range(layer + 1)
        for place, name in ((1, "attend_skip"), (2, "attend"))
        if (layer, place) != (4, 1)
    ),
    (r"^decoder\.blocks\.x_0_4\.attention1\.", None),  # there is no skip to gate
    (r"^decoder\.center\.", None),  # behind VGG it has one, and never calls it
    (r"^segmentation_head\.0\.", "head."),
)
REFERENCES = {"smp/UnetPlusPlus": Reference(RULES, {"encoder": "resnet34"})}


@builder(references=REFERENCES)
def unet_plus_plus(
    num_classes=2,
    encoder="resnet34",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    decoder_filters=(256, 128, 64, 32, 16),
    norm="batch",
    attention=None,
    deep_supervision=False,
    weights=None,
):
    """UNet++ on any encoder, as in segmentation_models.pytorch.

    Node (i, j) lies at the level of tap `c{i}` and j steps to the right of it; it
    joins all nodes to its left with the one below, resized.

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        decoder_filters: channels of the last node per level, coarse to fine; the others
            have those of their tap.
        norm: "batch", "group", "layer" or None.
        attention: "scse" or None.
        deep_supervision: score the other nodes of the finest level too.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes]; with
        `deep_supervision` a dict {"logits", "aux1", "aux2", ...}.

    Raises:
        ValueError: for an unknown encoder, norm or attention.

    Reference: Zhou et al., 2018, https://arxiv.org/abs/1807.10165
    """
    image = keras.Input(input_shape, name="image")
    taps = encoders.build(encoder, input_shape, weights=encoder_weights)(image)
    options = {"norm": norm, "attention": attention}
    below = [taps["c5"]]
    levels = [level for level in (4, 3, 2, 1) if f"c{level}" in taps]
    for level, last in zip(levels, decoder_filters):
        tap = taps[f"c{level}"]
        nodes = [tap]
        for step, x in enumerate(below, 1):
            name = f"node{level}_{step}"
            filters = last if step == len(below) else tap.shape[-1]
            skip = nodes[0]
            if step > 1:
                # The newest node first, the order of the published weights.
                skip = layers.Concatenate(name=f"{name}_nodes")(nodes[::-1])
            x = blocks.decoder_block(x, skip, filters, name=name, **options)
            nodes.append(x)
        below = nodes
    *others, x = below[1:]
    # The encoders have no tap at full size: the last node joins no skip.
    name = f"node0_{len(levels) + 1}"
    x = blocks.decoder_block(
        x, None, decoder_filters[-1], like=image, name=name, **options
    )
    scores = blocks.conv(x, num_classes, name="head")
    sides = {f"aux{step}": node for step, node in enumerate(others, 1)}
    outputs = blocks.side_logits(
        blocks.logits(scores),
        sides if deep_supervision else {},
        num_classes,
        image,
        head="score",
    )
    return keras.Model(image, outputs, name="unet_plus_plus")
