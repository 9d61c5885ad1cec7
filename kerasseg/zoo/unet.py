"""U-Net: contracting path, skip connections, expanding path."""

import keras
from keras import layers

from kerasseg import blocks, encoders
from kerasseg.layers import CropLike, LeastSize, ResizeLike
from kerasseg.zoo import _transfer_unet
from kerasseg.zoo._builder import builder
from kerasseg.zoo._references import Reference
from kerasseg.zoo._transfer_unet import transfer_unet

# milesial's Pytorch-UNet: its names of a double convolution -> ours
STEPS = {0: "1_conv", 1: "1_norm", 3: "2_conv", 4: "2_norm"}
MILESIAL = (
    *(
        rule
        for theirs, ours in STEPS.items()
        for rule in (
            (rf"^inc\.double_conv\.{theirs}\.", f"level0_{ours}."),
            (
                rf"^down(\d)\.maxpool_conv\.1\.double_conv\.{theirs}\.",
                rf"level\1_{ours}.",
            ),
            (rf"^up(\d)\.conv\.double_conv\.{theirs}\.", rf"decoder\1_{ours}."),
        )
    ),
    (r"^up(\d)\.up\.", r"decoder\1_up."),
    (r"^outc\.conv\.", "head."),
)
REFERENCES = {
    **_transfer_unet.REFERENCES,
    "milesial/UNet": Reference(
        MILESIAL,
        {"encoder": "plain", "input_range": (0, 1), "fit": "pad"},
        encoders=("plain",),
    ),
}
LEAST = 188  # of images whose logits without padding have any pixel: 4 x 4


@builder(references=REFERENCES)
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
    center=False,
    padding="same",
    input_range=(-1, 1),
    fit="resize",
    weights=None,
):
    """U-Net on the paper's own contracting path, or on any encoder.

    With `encoder="plain"` it is the network of the paper, of `base_filters` to 16
    times as many channels; `padding="valid", norm=None` is the paper to the letter
    (logits 184 pixels smaller than the image: 572 -> 388). By default convolutions
    keep the size and are batch-normalised, and odd image sizes work (best by `predict`,
    which continues them to multiples of 16).

    With another encoder it is the usual transfer-learning U-Net: nearest-neighbour
    upsampling, one skip per level, as in segmentation_models.pytorch.

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw pixels 0..255.
        base_filters: channels of the first level, "plain" only.
        decoder_filters: channels per level, coarse to fine; other encoders only. Four
            begin at c4, which saves most weights of an encoder, three at c3.
        norm: "batch", "group", "layer" or None.
        attention: "scse" or None; other encoders only.
        center: convolve twice between the encoder and the decoder, as
            segmentation_models.pytorch behind VGG; other encoders than "plain" only.
        padding: "same" or "valid"; "valid" for "plain" only.
        input_range: numbers to which pixels of 0 and 255 are brought, "plain" only.
        fit: what makes up for a row or column that a pooling dropped: "resize" repeats
            one, "pad" adds zeros; "plain" only.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes].

    Raises:
        ValueError: for an unknown encoder, norm, attention, padding, range or fit, and,
            from the model without padding, for images below 188 x 188.

    Example:
        >>> model = unet(num_classes=3, base_filters=4)
        >>> model(np.zeros([1, 65, 97, 3])).shape
        TensorShape([1, 65, 97, 3])

    Reference: Ronneberger et al., 2015, https://arxiv.org/abs/1505.04597
    """
    mirrored = encoders.traits_of(encoder).unit is blocks.double_conv
    own = {"padding": padding, "input_range": tuple(input_range), "fit": fit}
    _check(encoder, mirrored, {"attention": attention, "center": center}, own)
    if not mirrored:
        return transfer_unet(
            num_classes,
            encoder,
            encoder_weights=encoder_weights,
            input_shape=input_shape,
            decoder_filters=decoder_filters,
            norm=norm,
            attention=attention,
            center=center,
        )
    options = {"norm": norm, "padding": "valid" if padding == "valid" else "symmetric"}
    x = image = keras.Input(input_shape, name="image")
    if padding == "valid":  # first: the encoder is built for images of this size
        x = LeastSize(LEAST, name="least_size")(image)
    inner = {"base_filters": base_filters, "depth": 4, "input_range": input_range}
    encoder = encoders.build(
        encoder, input_shape, weights=encoder_weights, options={**inner, **options}
    )
    *skips, x = encoder(x).values()  # taps come fine to coarse
    for level, skip in enumerate(skips[::-1], 1):
        name, filters = f"decoder{level}", skip.shape[-1]
        # he_normal: its output starts at the variance of the skip that it is joined to.
        x = layers.Conv2DTranspose(
            filters, 2, 2, kernel_initializer="he_normal", name=f"{name}_up"
        )(x)
        x, skip = _fit(x, skip, padding, fit, name)
        x = layers.Concatenate(name=f"{name}_skip")([skip, x])
        x = blocks.double_conv(x, filters, name=name, **options)
    scores = blocks.conv(x, num_classes, 1, name="head")
    return keras.Model(image, blocks.logits(scores), name="unet")


def _fit(x, skip, padding, fit, name):
    """Bring doubled features and their skip to one size."""
    if padding == "valid":
        return x, CropLike(name=f"{name}_crop")([skip, x])
    # Poolings drop odd rows and columns, which doubling does not bring back.
    if fit == "pad":
        x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"{name}_pad")(x)
        return CropLike("start", name=f"{name}_fit")([x, skip]), skip
    return ResizeLike("nearest", name=f"{name}_fit")([x, skip]), skip


def _check(encoder, mirrored, others, own):
    """Refuse options that only one of the two networks has."""
    choices = {"padding": ("same", "valid"), "fit": ("resize", "pad")}
    for name, (usual, other) in choices.items():
        if own[name] not in (usual, other):
            raise ValueError(
                f"`{name}` must be {usual!r} or {other!r}. "
                f"Received: {name}={own[name]!r}."
            )
    for name, value in others.items():
        if mirrored and value:
            raise ValueError(
                f"`{name}` needs another encoder than 'plain'. "
                f"Received: {name}={value!r}."
            )
    usual = {"padding": "same", "fit": "resize", "input_range": (-1, 1)}
    for name, value in own.items():
        if not mirrored and value != usual[name]:
            raise ValueError(
                f"`{name}={value!r}` needs encoder='plain'. "
                f"Received: encoder={encoder!r}, {name}={value!r}."
            )
