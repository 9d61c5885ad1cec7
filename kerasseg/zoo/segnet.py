"""SegNet: unpooling puts values back where the maxima of the poolings were."""

import keras

from kerasseg import blocks, encoders
from kerasseg.layers import ResizeLike, Unpool
from kerasseg.zoo._builder import builder

# Convolutions per level, those of VGG16 in reverse; the head is the last one.
DEPTHS = {4: 3, 3: 3, 2: 3, 1: 2, 0: 1}


@builder()
def segnet(
    num_classes=21,
    encoder="vgg16_bn",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    norm="batch",
    weights=None,
):
    """SegNet: unpooling and convolutions that mirror the encoder's.

    On an encoder that strides instead of pooling, values return to the largest feature
    of each 2x2 window of the finer tap.

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        norm: "batch", "group", "layer" or None.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes].

    Raises:
        ValueError: for an unknown encoder or norm.

    Reference: Badrinarayanan et al., 2017, https://arxiv.org/abs/1511.00561
    """
    image = keras.Input(input_shape, name="image")
    taps = encoders.build(encoder, input_shape, weights=encoder_weights)(image)
    levels = [level for level in DEPTHS if f"c{level}" in taps]
    channels = [taps[f"c{level}"].shape[-1] for level in levels]
    x = taps["c5"]
    # Unpooling works channel by channel: x needs as many as the tap has.
    if x.shape[-1] != channels[0]:
        x = blocks.conv_norm_act(x, channels[0], 1, norm=norm, name="bridge")
    for level, filters, after in zip(levels, channels, [*channels[1:], channels[-1]]):
        source = taps[f"c{level}"]
        # Families round odd sizes differently: bring x to half the size of the tap.
        half = keras.layers.MaxPooling2D(2, padding="same", name=f"pool{level}")(source)
        x = ResizeLike("nearest", name=f"unpool{level}_fit")([x, half])
        x = Unpool(name=f"unpool{level}")([x, source])
        for index in range(1, DEPTHS[level] + 1):
            last = index == DEPTHS[level]
            x = blocks.conv_norm_act(
                x, after if last else filters, norm=norm, name=f"decoder{level}_{index}"
            )
    scores = blocks.conv(x, num_classes, name="head")
    return keras.Model(image, blocks.logits(scores, image), name="segnet")
