"""Decoders: steps from coarse to fine features."""

from keras import layers

from kerasseg.blocks.attention import attend
from kerasseg.blocks.convolution import activate, conv, double_conv, normalize
from kerasseg.layers import ResizeLike


def skips_of(taps, coarsest=4):
    """Features finer than the deepest, coarse to fine; absent levels are None.

    Args:
        taps: dict "c1".."c5" of an encoder.
        coarsest: the level to begin with.

    Returns:
        List [c4, c3, c2, c1] for `coarsest` 4.
    """
    return [taps.get(f"c{level}") for level in range(coarsest, 0, -1)]


def decoder_block(x, skip, filters, *, like=None, norm="batch", attention=None, name):
    """One step of a U-shaped decoder: double the size, join the skip, convolve twice.

    Args:
        x: coarse features [N, h, w, C].
        skip: features [N, H, W, S] to resize to and to join, or None.
        filters: channels of the result.
        like: what to resize to without a skip; None doubles the size.
        norm: see `normalize`.
        attention: see `attend`; gates the joined features and the result.
        name: prefix of the layers.

    Returns:
        Features [N, H, W, filters].
    """
    like = like if skip is None else skip
    if like is None:
        # Nearest-neighbour: the bilinear one of Keras 3.15 cannot trace dynamic sizes.
        x = layers.UpSampling2D(2, name=f"{name}_up")(x)
    else:
        x = ResizeLike("nearest", name=f"{name}_up")([x, like])
    if skip is not None:
        # Coarse features first, the order of the published weights.
        x = layers.Concatenate(name=f"{name}_skip")([x, skip])
        x = attend(x, attention, name=f"{name}_attend_skip")
    x = double_conv(x, filters, norm=norm, name=name)
    return attend(x, attention, name=f"{name}_attend")


def top_down(laterals, *, interpolation="nearest", name="top_down"):
    """Top-down path of a feature pyramid: each level adds the upsampled coarser one.

    Args:
        laterals: features of equal channels, coarse to fine.
        interpolation: see `kerasseg.layers.ResizeLike`.
        name: prefix of the layers, numbered from 1.

    Returns:
        List of features, coarse to fine.

    Reference: Lin et al., 2017, https://arxiv.org/abs/1612.03144
    """
    pyramid = [laterals[0]]
    for index, lateral in enumerate(laterals[1:], 1):
        x = ResizeLike(interpolation, name=f"{name}{index}_up")([pyramid[-1], lateral])
        pyramid.append(layers.Add(name=f"{name}{index}_add")([x, lateral]))
    return pyramid


def feature_pyramid(
    taps,
    filters=256,
    *,
    levels=(2, 3, 4, 5, 6),
    interpolation="nearest",
    norm=None,
    activation=None,
    coarser="subsample",
):
    """Feature pyramid of a detector: equal channels at several strides.

    Layers are called `lateral5`, `top_down1_up`, `output5`.

    Args:
        taps: dict of features, "c2" to "c5" or as many as `levels` asks for.
        filters: channels of each level.
        levels: numbers of the levels, fine to coarse; level l has stride 2^l. Those
            above 5 are made from the one before.
        interpolation: of the top-down path, see `kerasseg.layers.ResizeLike`.
        norm: after each convolution, see `normalize`; the paper has none.
        activation: of the levels up to 5, or None.
        coarser: how levels above 5 are made: "subsample" takes every other pixel,
            "conv" is a 3x3 convolution of stride 2.

    Returns:
        dict "p2".., fine to coarse.

    Reference: Lin et al., 2017, https://arxiv.org/abs/1612.03144
    """
    within = sorted((level for level in levels if level <= 5), reverse=True)
    laterals = [
        _conv_norm(taps[f"c{i}"], filters, 1, norm=norm, name=f"lateral{i}")
        for i in within
    ]
    pyramid = {}
    for level, x in zip(within, top_down(laterals, interpolation=interpolation)):
        x = _conv_norm(x, filters, norm=norm, name=f"output{level}")
        pyramid[f"p{level}"] = activate(x, activation, name=f"output{level}")
    for level in sorted(level for level in levels if level > 5):
        x, name = pyramid[f"p{level - 1}"], f"output{level}"
        if coarser == "conv":
            pyramid[f"p{level}"] = _conv_norm(
                x, filters, strides=2, norm=norm, name=name
            )
        else:
            # A pooling of single pixels, as detectron makes P6.
            pyramid[f"p{level}"] = layers.MaxPooling2D(1, 2, name=name)(x)
    return {f"p{level}": pyramid[f"p{level}"] for level in levels}


def _conv_norm(x, filters, kernel_size=3, *, strides=1, norm, name):
    bias = norm is None
    x = conv(x, filters, kernel_size, strides=strides, use_bias=bias, name=name)
    return normalize(x, norm, name=f"{name}_norm")
