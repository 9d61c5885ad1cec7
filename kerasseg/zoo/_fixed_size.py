"""The first step of instance models: an encoder on images of one size."""

import keras

from kerasseg import encoders
from kerasseg.detection.mask_grid import mask_size


def encode(encoder, input_shape, weights, base_filters, freeze_norm, *, any_size=False):
    """An input of one size, and the features of the encoder on it.

    Args:
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        input_shape: (height, width, channels), sides that are multiples of 32.
        weights: of the encoder; None, "imagenet" or a path.
        base_filters: channels of the first level; "plain" and "residual" only.
        freeze_norm: keep the encoder's batch normalisation as it is.
        any_size: whether sides may be other numbers, too.

    Returns:
        image [N, H, W, C], the encoder as a keras.Model, and its taps.

    Raises:
        ValueError: for an unknown encoder or sides of other numbers.
    """
    if not any_size:
        mask_size(input_shape[:2])  # raises for other sizes
    takes_filters = encoders.traits_of(encoder).unit is not None
    # Only the contracting paths of U-Nets are built to a width; others have a published
    # one.
    options = {"base_filters": base_filters} if takes_filters else {}
    encoder = encoders.build(encoder, input_shape, weights=weights, options=options)
    if freeze_norm:
        encoders.freeze_norm(encoder)
    image = keras.Input(input_shape, name="image")
    return image, encoder, encoder(image)
