"""The contracting path of U-Net."""

import keras

from kerasseg import blocks
from kerasseg.encoders.atrous import check_output_stride
from kerasseg.encoders.pretrained import load
from kerasseg.encoders.traits import encoder
from kerasseg.layers import MaxPooling2D, Normalize


@encoder(unit=blocks.double_conv, dense=False)
def plain(
    input_shape=(None, None, 3),
    *,
    weights=None,
    output_stride=32,
    base_filters=64,
    depth=5,
    norm="batch",
    padding="symmetric",
    input_range=(-1, 1),
):
    """Contracting path of U-Net: two 3x3 convolutions per level, 2x2 max pooling.

    Args:
        input_shape: (H, W, C), sizes may be None; raw pixels 0..255.
        weights: None or a path.
        output_stride: 32 only; there is no stride to trade for dilation.
        base_filters: channels of `c0`; doubled at each level up to 16 times.
        depth: number of poolings; the deepest tap is `c{depth}`.
        norm: "batch", "group", "layer" or None.
        padding: "symmetric" keeps the size, "valid" is the paper's.
        input_range: numbers to which pixels of 0 and 255 are brought.

    Returns:
        keras.Model: image -> {"c0" (stride 1), ..., "c5" (stride 32)}.

    Raises:
        ValueError: for another output stride, norm or padding, or no range.

    Reference: Ronneberger et al., 2015, https://arxiv.org/abs/1505.04597
    """
    check_output_stride(output_stride, "plain", choices=(32,))
    image = keras.Input(input_shape, name="image")
    # No statistics of photographs: images of microscopes have others.
    mean, std = _scaling(tuple(input_range))
    x = Normalize(mean=mean, std=std, name="normalize")(image)
    taps = {}
    for level in range(depth + 1):
        if level:
            x = MaxPooling2D(2, name=f"level{level}_pool")(x)
        # At most 1024 channels at the paper's width: the fifth pooling, which the paper
        # does not have, doubles no more.
        filters = base_filters * min(2**level, 16)
        x = blocks.double_conv(
            x, filters, padding=padding, norm=norm, name=f"level{level}"
        )
        taps[f"c{level}"] = x
    return load(keras.Model(image, taps, name="plain"), weights)


def _scaling(input_range):
    """Mean and deviation that bring 0..255 to that range."""
    if len(input_range) != 2 or not input_range[0] < input_range[1]:
        raise ValueError(
            "`input_range` must be two numbers, the smaller first. "
            f"Received: input_range={input_range!r}."
        )
    std = 255 / (input_range[1] - input_range[0])
    return -input_range[0] * std, std
