"""Encoders: raw image -> features "c1".."c5" at strides 2, 4, 8, 16, 32.

Each is a function `name(input_shape, *, weights=None, output_stride=32)` that returns
a keras.Model. To add one, write its file, state its traits there, and import it here.
"""

import keras
from keras import ops

from kerasseg.encoders import traits
from kerasseg.encoders.convnext import (
    convnext_base,
    convnext_large,
    convnext_small,
    convnext_tiny,
)
from kerasseg.encoders.densenet import densenet121, densenet169, densenet201
from kerasseg.encoders.efficientnet import (
    efficientnet_b0,
    efficientnet_b1,
    efficientnet_b2,
    efficientnet_b3,
    efficientnet_b4,
    efficientnet_b5,
    efficientnet_b6,
    efficientnet_b7,
)
from kerasseg.encoders.efficientnet_lite import (
    efficientnet_lite0,
    efficientnet_lite1,
    efficientnet_lite2,
)
from kerasseg.encoders.efficientnet_v2 import (
    efficientnet_v2_b0,
    efficientnet_v2_b1,
    efficientnet_v2_b2,
    efficientnet_v2_b3,
    efficientnet_v2_l,
    efficientnet_v2_m,
    efficientnet_v2_s,
)
from kerasseg.encoders.gather_expand import gather_expand
from kerasseg.encoders.hrnet import hrnet_w18, hrnet_w32, hrnet_w48
from kerasseg.encoders.mix_transformer import (
    mit_b0,
    mit_b1,
    mit_b2,
    mit_b3,
    mit_b4,
    mit_b5,
)
from kerasseg.encoders.mobilenet import mobilenet
from kerasseg.encoders.mobilenet_v2 import mobilenet_v2
from kerasseg.encoders.mobilenet_v3 import mobilenet_v3_large, mobilenet_v3_small
from kerasseg.encoders.mobilenet_v3_selfie import mobilenet_v3_selfie
from kerasseg.encoders.plain import plain
from kerasseg.encoders.residual import residual
from kerasseg.encoders.resnet import (
    resnet18,
    resnet34,
    resnet50,
    resnet101,
    resnet152,
    resnext50_32x4d,
    wide_resnet50_2,
)
from kerasseg.encoders.resnet_d import resnet50d
from kerasseg.encoders.resnet_v2 import resnet50_v2, resnet101_v2, resnet152_v2
from kerasseg.encoders.rsu import rsu
from kerasseg.encoders.scnn import scnn
from kerasseg.encoders.se_resnext import se_resnext50_32x4d, se_resnext101_32x4d
from kerasseg.encoders.tiny import tiny
from kerasseg.encoders.vgg import (
    vgg11_bn,
    vgg13_bn,
    vgg16,
    vgg16_bn,
    vgg19,
    vgg19_bn,
)
from kerasseg.encoders.xception import xception41, xception65
from kerasseg.names import Table, look_up

TAPS = {f"c{level}" for level in range(6)}
OWN = {
    name: value
    for name, value in sorted(globals().items())
    if isinstance(getattr(value, "traits", None), traits.Traits)
}
ENCODERS = Table(OWN, "kerasseg.encoders", "traits")
__all__ = [
    "ENCODERS",
    "build",
    "features",
    "freeze_norm",
    "is_encoder",
    "names",
    "of",
    "rules_of",
    "shallow",
    "traits_of",
    *OWN,
]


def names():
    """Names of all encoders, sorted."""
    return list(ENCODERS)


def build(
    encoder,
    input_shape=(None, None, 3),
    *,
    weights=None,
    output_stride=None,
    options=None,
):
    """Turn what users give as `encoder=` into a model with taps.

    Args:
        encoder: name of an encoder, or a keras.Model from an image to a dict of taps.
        input_shape: (H, W, C), sizes may be None.
        weights: None, "imagenet" or a path; for names only.
        output_stride: 8, 16 or 32; a model must have it already. None is 32 of an
            encoder by name, and any of a model.
        options: dict of further arguments of the encoder's function; for names only.

    Returns:
        keras.Model: image -> {"c1": ..., "c5": ...}.

    Raises:
        ValueError: if the name is unknown, or the model's output is no dict of taps, or
            the model comes with weights to load, or has another output stride.
    """
    if not isinstance(encoder, keras.Model):
        function = look_up(encoder, ENCODERS, "encoder")
        return function(
            input_shape,
            weights=weights,
            output_stride=32 if output_stride is None else output_stride,
            **(options or {}),
        )
    outputs = getattr(encoder, "output", None)  # a model of no fixed graph has none
    taps = list(outputs) if isinstance(outputs, dict) else None
    if taps is None or "c5" not in taps:
        raise ValueError(
            "`encoder` must return a dict with features 'c1' to 'c5'. "
            f"Received: model {encoder.name!r} with outputs {taps}. Those of "
            "keras.applications are known by name; encoders.applications."
            "from_application names the taps of others."
        )
    if weights is not None:
        raise ValueError(
            "`encoder_weights` must be None where `encoder` is a model. Received: "
            f"{weights!r} for model {encoder.name!r}. Load them into it before: "
            "kerasseg.weights.load(encoder, path)."
        )
    if output_stride is not None and output_stride != _stride_of(encoder):
        stride = _stride_of(encoder)
        raise ValueError(
            f"`encoder` must have c5 at stride {output_stride}, the builder's "
            f"`output_stride`. Received: model {encoder.name!r} with stride {stride}. "
            f"Pass output_stride={stride}, or build the encoder with the other."
        )
    return encoder


def shallow(encoder, depth):
    """The first levels of an encoder, without the layers behind them.

    Args:
        encoder: keras.Model with taps "c1".."c5", and maybe "c0".
        depth: of the last tap to keep, 1 to 5; 5 keeps all.

    Returns:
        keras.Model of the same name and weights.

    Raises:
        ValueError: if the encoder has no tap of that depth.

    Example:
        >>> list(shallow(build("tiny"), 3).output)
        ['c1', 'c2', 'c3']
    """
    taps = encoder.output
    if f"c{depth}" not in taps:
        raise ValueError(
            f"The encoder must have a tap c{depth}, for as many steps of a decoder. "
            f"Received: model {encoder.name!r} with taps {[*taps]}."
        )
    kept = {name: x for name, x in taps.items() if int(name[1:]) <= depth}
    if len(kept) == len(taps):
        return encoder
    # Layers without a way to a tap that is kept fall away, and their weights with them.
    model = keras.Model(encoder.input, kept, name=encoder.name)
    if hasattr(encoder, "built_with"):
        model.built_with = encoder.built_with
    return model


def _stride_of(encoder):
    """Pixels of the image per pixel of an encoder's c5."""
    _, height, width, channels = encoder.input_shape
    length = height or 512
    # A shape without numbers: nothing is computed, whatever the size of the encoder.
    image = keras.KerasTensor((1, length, width or 512, channels))
    return round(length / encoder.compute_output_spec(image)["c5"].shape[1])


def traits_of(encoder):
    """Traits of what users give as `encoder=`.

    Args:
        encoder: name of an encoder, or a keras.Model, which its name identifies. A name
            says whose weights fit a model, but not with which stride or depth it was
            built: the traits that depend on these are left out.

    Returns:
        `kerasseg.encoders.traits.Traits`; the defaults for any other model.

    Raises:
        ValueError: if the name is unknown.
    """
    if not isinstance(encoder, keras.Model):
        return look_up(encoder, ENCODERS, "encoder").traits
    if encoder.name not in ENCODERS:
        return traits.Traits()
    known = ENCODERS[encoder.name].traits
    # Not what decoders ask, `unit` and `dense`: a model is taken as it was built.
    return traits.Traits(known.publisher, known.rules, load=known.load)


def rules_of(model):
    """Renaming rules of the published files of all encoders inside a model."""
    inner = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    return tuple(rule for encoder in inner for rule in traits_of(encoder).rules)


def is_encoder(layer):
    """Whether a layer of a model is its encoder: a nested model that returns taps."""
    outputs = getattr(layer, "output", None) if isinstance(layer, keras.Model) else None
    return isinstance(outputs, dict) and set(outputs) <= TAPS


def of(model):
    """The encoder inside a model.

    Args:
        model: keras.Model of a function in `kerasseg.zoo`.

    Raises:
        ValueError: if there is none.
    """
    for layer in model.layers:
        if is_encoder(layer):
            return layer
    raise ValueError(
        "`model` must hold an encoder. "
        f"Received: model {model.name!r} with layers {[x.name for x in model.layers]}."
    )


def features(model, image):
    """Features of an encoder for one image, as arrays.

    Args:
        model: keras.Model of a function in `kerasseg.zoo`, or an encoder.
        image: [H, W, C] in 0..255, any numeric dtype; grey [H, W] is repeated.

    Returns:
        dict "c1".."c5" of float32 [h, w, C] at strides 2 to 32, and "c0" where there is
        one.

    Raises:
        ValueError: if there is no encoder, or the image has other channels.

    Example:
        >>> import numpy as np
        >>> found = features(build("tiny"), np.zeros([64, 96, 3], "uint8"))
        >>> found["c3"].shape[:2], found["c5"].shape[:2]
        ((8, 12), (2, 3))
    """
    encoder = model if is_encoder(model) else of(model)
    channels = encoder.input_shape[-1]
    shape = ops.shape(image)
    if len(shape) == 2:
        image, shape = ops.stack([image] * channels, axis=-1), (*shape, channels)
    if len(shape) != 3 or shape[2] != channels:
        raise ValueError(
            f"`image` must be [H, W, {channels}], as the encoder takes. "
            f"Received: shape={shape}."
        )
    batch = ops.cast(ops.convert_to_tensor(image), "float32")[None]
    found = encoder(batch, training=False)
    return {name: ops.convert_to_numpy(x)[0] for name, x in found.items()}


def freeze_norm(encoder):
    """Keep batch normalisation as it is, statistics, factors and offsets.

    For batches too small for statistics of their own; useful with pretrained weights
    only. Call it before the first training step.

    Args:
        encoder: keras.Model, or a layer; it is changed, nested models too.

    Returns:
        The encoder.
    """
    for layer in getattr(encoder, "layers", [encoder]):
        if isinstance(layer, keras.Model):
            freeze_norm(layer)
        elif isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    return encoder
