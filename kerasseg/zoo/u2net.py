"""U2-Net: a U-Net whose levels are small U-Nets."""

import keras
from keras import layers

from kerasseg import blocks, encoders
from kerasseg.encoders.rsu import rsu_block
from kerasseg.layers import ResizeLike
from kerasseg.zoo._builder import builder
from kerasseg.zoo._references import Reference

HEIGHTS = (0, 4, 5, 6, 7)  # of the decoder's blocks, coarse to fine; see `rsu_block`
# the authors' names
RULES = (
    (r"^stage(\d)d\.rebnconv(\w+)\.conv_s1\.", r"decoder\1_\2_conv."),
    (r"^stage(\d)d\.rebnconv(\w+)\.bn_s1\.", r"decoder\1_\2_norm."),
    (r"^side(\d)\.", r"side\1_score."),
    (r"^outconv\.", "head."),
)
REFERENCES = {"u2net/U2NET": Reference(RULES, num_classes=1)}


@builder(references=REFERENCES)
def u2net(
    num_classes=1,
    encoder="rsu",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    decoder_filters=(512, 256, 128, 64, 64),
    inner_filters=(256, 128, 64, 32, 16),
    deep_supervision=False,
    weights=None,
):
    """U2-Net, for salient objects and any other classes.

    The small one of 4.7 MB is `encoder=encoders.rsu(filters=(64,) * 6,
    inner_filters=(16,) * 6)` with `decoder_filters=(64,) * 5` and
    `inner_filters=(16,) * 5`. The authors' scripts divide an image by its largest
    value, where this network divides by 255.

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        decoder_filters: channels of the blocks, coarse to fine.
        inner_filters: channels inside the blocks, coarse to fine.
        deep_supervision: give the scores of every level beside their fusion.
        weights: None or a path to weights of the whole model (the authors' names).

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes]; with
        `deep_supervision` a dict {"logits", "aux1", ...}, fine to coarse.

    Raises:
        ValueError: for an unknown encoder.

    Reference: Qin et al., 2020, https://arxiv.org/abs/2005.09007
    """
    image = keras.Input(input_shape, name="image")
    encoder = encoders.build(encoder, input_shape, weights=encoder_weights)
    *skips, x = encoder(image).values()  # taps come fine to coarse
    sides = [x]
    options = zip(skips[::-1], decoder_filters, inner_filters, HEIGHTS)
    for step, (skip, filters, inner, height) in enumerate(options):
        name = f"decoder{len(skips) - step}"
        x = ResizeLike(name=f"{name}_up")([x, skip])
        x = layers.Concatenate(name=f"{name}_skip")([x, skip])
        x = rsu_block(x, filters, inner, height, name=name)
        sides.append(x)
    scores = {
        f"aux{number}": blocks.conv(x, num_classes, name=f"side{number}_score")
        for number, x in enumerate(sides[::-1], 1)
    }
    finest = scores["aux1"]
    resized = [ResizeLike(name=f"{name}_up")([x, finest]) for name, x in scores.items()]
    # Fine to coarse, the order in which the published 1x1 weighs them.
    x = layers.Concatenate(name="fuse")(resized)
    outputs = blocks.logits(blocks.conv(x, num_classes, 1, name="head"), image)
    if deep_supervision:
        outputs = {"logits": outputs}
        for name, x in scores.items():
            outputs[name] = blocks.logits(x, image, name=name)
    return keras.Model(image, outputs, name="u2net")
