"""U-Net: contracting path, skip connections, expanding path."""

import keras
from keras import layers

from kerasseg import blocks, encoders
from kerasseg.layers import CropLike, ResizeLike
from kerasseg.zoo._builder import builder, load

# segmentation_models.pytorch
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
    (r"^segmentation_head\.0\.", "head."),
)


@builder(rules=RULES)
def unet(
    num_classes=2,
    encoder="plain",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    base_filters=64,
    decoder_filters=(256, 128, 64, 32, 16),
    norm="batch",
    attention=None,
    padding="same",
    weights=None,
):
    """U-Net on the paper's own contracting path, or on any encoder.

    With `encoder="plain"` it is the network of the paper, of `base_filters` to 16
    times as many channels; `padding="valid", norm=None` is the paper to the letter
    (logits 184 pixels smaller than the image: 572 -> 388). By default convolutions
    keep the size and are batch-normalised, and odd image sizes work.

    With another encoder it is the usual transfer-learning U-Net: nearest-neighbour
    upsampling, one skip a level, as in segmentation_models.pytorch.

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw pixels 0..255.
        base_filters: channels of the first level, "plain" only.
        decoder_filters: channels a level, coarse to fine; other encoders only.
        norm: "batch", "group", "layer" or None.
        attention: "scse" or None; other encoders only.
        padding: "same" or "valid"; "valid" for "plain" only.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes].

    Raises:
        ValueError: for an unknown encoder, norm, attention or padding.

    Example:
        >>> model = unet(num_classes=3, base_filters=4)
        >>> model(np.zeros([1, 65, 97, 3])).shape
        TensorShape([1, 65, 97, 3])

    Reference: Ronneberger et al., 2015, https://arxiv.org/abs/1505.04597
    """
    if padding not in ("same", "valid"):
        raise ValueError(
            f"`padding` must be 'same' or 'valid'. Received: padding={padding!r}."
        )
    mirrored = encoders.traits_of(encoder).unit is blocks.double_conv
    if mirrored and attention is not None:
        raise ValueError(
            "`attention` needs another encoder than 'plain'. "
            f"Received: attention={attention!r}."
        )
    image = keras.Input(input_shape, name="image")
    if mirrored:
        x = _paper(image, encoder_weights, base_filters, norm, padding)
    elif padding == "valid":
        raise ValueError(
            "`padding='valid'` needs encoder='plain'. "
            f"Received: encoder={encoder!r}, padding='valid'."
        )
    else:
        encoder = encoders.build(encoder, input_shape, weights=encoder_weights)
        x = _transfer(image, encoder(image), decoder_filters, norm, attention)
    kernel_size = 1 if mirrored else 3
    scores = blocks.conv(x, num_classes, kernel_size, name="head")
    model = keras.Model(image, blocks.logits(scores), name="unet")
    return load(model, weights, RULES)


def _paper(image, encoder_weights, base_filters, norm, padding):
    padding = "symmetric" if padding == "same" else padding
    encoder = encoders.plain(
        image.shape[1:],
        weights=encoder_weights,
        base_filters=base_filters,
        depth=4,
        norm=norm,
        padding=padding,
    )
    *skips, x = encoder(image).values()
    fit = CropLike if padding == "valid" else ResizeLike
    for level, skip in enumerate(skips[::-1], 1):
        filters = skip.shape[-1]
        name = f"decoder{level}"
        x = layers.Conv2DTranspose(
            filters, 2, 2, kernel_initializer="he_normal", name=f"{name}_up"
        )(x)
        if fit is CropLike:
            skip = CropLike(name=f"{name}_crop")([skip, x])
        else:
            x = ResizeLike("nearest", name=f"{name}_fit")([x, skip])
        x = layers.Concatenate(name=f"{name}_skip")([skip, x])
        x = blocks.double_conv(x, filters, padding=padding, norm=norm, name=name)
    return x


def _transfer(image, taps, decoder_filters, norm, attention):
    x = taps["c5"]
    skips = [*blocks.skips_of(taps), None]
    for level, (skip, filters) in enumerate(zip(skips, decoder_filters), 1):
        x = blocks.decoder_block(
            x,
            skip,
            filters,
            like=image if level == len(decoder_filters) else None,
            norm=norm,
            attention=attention,
            name=f"decoder{level}",
        )
    return x
