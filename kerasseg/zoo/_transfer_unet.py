"""The U-Net of transfer learning: any encoder, upsampling, one skip per level."""

import keras

from kerasseg import blocks, encoders
from kerasseg.encoders import vgg
from kerasseg.zoo._references import Reference

RULES = (
    *(
        (
            rf"^decoder\.blocks\.{block}\.conv(\d)\.{part}\.",
            rf"decoder{block + 1}_\1_{kind}.",
        )
        for block in range(5)
        for part, kind in enumerate(("conv", "norm"))
    ),
    *blocks.attend_rules(
        (rf"decoder\.blocks\.{block}\.attention{place}", f"decoder{block + 1}_{name}")
        for block in range(5)
        for place, name in ((1, "attend_skip"), (2, "attend"))
        if (block, place) != (4, 1)
    ),
    (r"^decoder\.blocks\.4\.attention1\.", None),  # there is no skip to gate
    *(
        (rf"^decoder\.center\.{step}\.{part}\.", f"center_{step + 1}_{kind}.")
        for step in range(2)
        for part, kind in enumerate(("conv", "norm"))
    ),
    (r"^segmentation_head\.0\.", "head."),
)
REFERENCES = {
    "smp/Unet": Reference(
        RULES,
        {"encoder": "resnet34"},
        by_encoder={name: {"center": True} for name in vgg.DEPTHS},
    )
}


def transfer_unet(
    num_classes,
    encoder,
    *,
    encoder_weights,
    input_shape,
    decoder_filters,
    norm,
    attention,
    center,
):
    """U-Net on any encoder, as in segmentation_models.pytorch; see `zoo.unet`."""
    image = keras.Input(input_shape, name="image")
    encoder = encoders.build(encoder, input_shape, weights=encoder_weights)
    depth = len(decoder_filters)  # fewer steps start from a finer level
    taps = encoders.shallow(encoder, depth)(image)
    x = taps[f"c{depth}"]
    if center:
        x = blocks.double_conv(x, x.shape[-1], norm=norm, name="center")
    skips = [*blocks.skips_of(taps, depth - 1), None]
    for level, (skip, filters) in enumerate(zip(skips, decoder_filters), 1):
        x = blocks.decoder_block(
            x,
            skip,
            filters,
            # Encoders round odd sizes differently: the last step fits the image.
            like=image if level == len(decoder_filters) else None,
            norm=norm,
            attention=attention,
            name=f"decoder{level}",
        )
    scores = blocks.conv(x, num_classes, name="head")
    return keras.Model(image, blocks.logits(scores), name="unet")
