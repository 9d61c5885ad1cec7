"""MA-Net: attention between positions in the middle, between channels on the way up."""

import keras
from keras import layers

from kerasseg import blocks, encoders
from kerasseg.layers import DotAttention, ReadChannelsFirst, ResizeLike
from kerasseg.zoo._builder import builder
from kerasseg.zoo._references import Reference

# segmentation_models.pytorch
PARTS = {
    r"hl_conv\.0\.0": "high1_conv",
    r"hl_conv\.0\.1": "high1_norm",
    r"hl_conv\.1\.0": "high2_conv",
    r"hl_conv\.1\.1": "high2_norm",
    r"SE_hl\.1": "high_gate_1",
    r"SE_hl\.3": "high_gate_2",
    r"SE_ll\.1": "skip_gate_1",
    r"SE_ll\.3": "skip_gate_2",
    r"conv(\d)\.0": r"\1_conv",
    r"conv(\d)\.1": r"\1_norm",
}
RULES = (
    (r"^decoder\.center\.center_conv\.", "center_query."),
    (r"^decoder\.center\.top_conv\.", "center_key."),
    (r"^decoder\.center\.bottom_conv\.", "center_value."),
    (r"^decoder\.center\.out_conv\.", "center_out."),
    *(
        (rf"^decoder\.blocks\.{block}\.{theirs}\.", f"decoder{block + 1}_{ours}.")
        for block in range(5)
        for theirs, ours in PARTS.items()
    ),
    (r"^segmentation_head\.0\.", "head."),
)
REFERENCES = {
    "smp/MAnet": Reference(RULES, {"encoder": "resnet34", "mix_positions": True})
}


@builder(references=REFERENCES)
def manet(
    num_classes=2,
    encoder="resnet34",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    decoder_filters=(256, 128, 64, 32, 16),
    attention_filters=64,
    reduction=16,
    norm="batch",
    mix_positions=False,
    weights=None,
):
    """MA-Net on any encoder, as in segmentation_models.pytorch, one mistake corrected.

    There the attention in the middle takes positions for channels when it puts its
    result back into a map; here they are told apart, unless `mix_positions` asks for
    that, which weights trained there need. It compares all positions of `c5` with each
    other: memory grows with the square of the image's area.

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        decoder_filters: channels per level, coarse to fine.
        attention_filters: channels of queries and keys.
        reduction: the gates have 1 / reduction of a skip's channels in between.
        norm: "batch", "group", "layer" or None.
        mix_positions: repeat that mistake.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes].

    Raises:
        ValueError: for an unknown encoder or norm.

    Reference: Fan et al., 2020, https://doi.org/10.1109/ACCESS.2020.3025372
    """
    image = keras.Input(input_shape, name="image")
    taps = encoders.build(encoder, input_shape, weights=encoder_weights)(image)
    x = _attend_positions(taps["c5"], attention_filters, mix_positions, name="center")
    skips = [skip for skip in blocks.skips_of(taps) if skip is not None]
    for level, filters in enumerate(decoder_filters, 1):
        name = f"decoder{level}"
        if level <= len(skips):
            skip = skips[level - 1]
            x = _fuse(x, skip, filters, norm, reduction, name=name)
        else:
            x = blocks.decoder_block(x, None, filters, like=image, norm=norm, name=name)
    scores = blocks.conv(x, num_classes, name="head")
    return keras.Model(image, blocks.logits(scores), name="manet")


def _attend_positions(x, filters, mixed, *, name):
    query = blocks.conv(x, filters, 1, name=f"{name}_query")
    key = blocks.conv(x, filters, 1, name=f"{name}_key")
    value = blocks.conv(x, x.shape[-1], name=f"{name}_value")
    # Unscaled, one softmax over all pairs, as in segmentation_models.pytorch.
    attention = DotAttention(scale=1.0, joint=True, name=f"{name}_attention")
    y = attention([query, key, value])
    if mixed:
        y = ReadChannelsFirst(name=f"{name}_mixed")(y)
    x = layers.Add(name=f"{name}_add")([x, y])
    return blocks.conv(x, x.shape[-1], name=f"{name}_out")


def _fuse(x, skip, filters, norm, reduction, *, name):
    """Gates from the coarse features and from the skip weigh the coarse features."""
    channels = skip.shape[-1]
    x = blocks.conv_norm_act(x, x.shape[-1], norm=norm, name=f"{name}_high1")
    x = blocks.conv_norm_act(x, channels, 1, norm=norm, name=f"{name}_high2")
    x = ResizeLike("nearest", name=f"{name}_up")([x, skip])
    # The finest skips of small encoders have fewer than 16 channels.
    reduced = max(1, channels // reduction)
    gate = layers.Add(name=f"{name}_gate")(
        [
            blocks.channel_gate(x, reduced, name=f"{name}_high_gate"),
            blocks.channel_gate(skip, reduced, name=f"{name}_skip_gate"),
        ]
    )
    x = layers.Multiply(name=f"{name}_gated")([x, gate])
    x = layers.Concatenate(name=f"{name}_skip")([x, skip])
    return blocks.double_conv(x, filters, norm=norm, name=name)
