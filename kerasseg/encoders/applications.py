"""Turns networks of keras.applications into encoders: taps, no classifier.

keras.applications builds the network and fetches its ImageNet weights; the layers that
lead to the taps are then built anew, under their own names.
"""

import functools
import re

import keras
from keras import layers

from kerasseg.encoders.atrous import check_output_stride, parents_of, plan_dilation
from kerasseg.encoders.pretrained import load
from kerasseg.layers import AveragePooling2D, BatchNormalization, Normalize
from kerasseg.weights import named_variables

# Every strided layer sees an even size here, and MobileNet has weights for it.
SOURCE_SHAPE = (224, 224, 3)
SCALINGS = (layers.Rescaling, layers.Normalization)
# Fused, and for maps of a single row or column.
OURS = {
    layers.BatchNormalization: BatchNormalization,
    layers.AveragePooling2D: AveragePooling2D,
}
# Names that Keras makes up: they depend on what the process has built before.
NUMBERED = r"(zero_padding2d|max_pooling2d)(_\d+)?"


def from_application(
    taps, scale, name, application, input_shape, weights, output_stride, rules=()
):
    """Encoder with the layers, names and weights of a network of keras.applications.

    It gives the features of the original at sizes divisible by 32, and differs in what
    a dense predictor needs: images come raw, of any number of channels; strides pad as
    TensorFlow's "same" does where the original cuts odd rows off; batch normalisation
    is fused; no name depends on what was built before; `output_stride` is kept.

    Args:
        taps: dict from "c1".."c5" to a regular expression; the tap is the output of the
            last layer whose whole name it matches.
        scale: (mean, std) of `kerasseg.layers.Normalize`, for pixels 0..255.
        name: name of the encoder.
        application: function of `keras.applications`.
        input_shape: (H, W, C), sizes may be None.
        weights: None, "imagenet" (Keras' own download) or a path.
        output_stride: 8, 16 or 32.
        rules: for files of others, see `kerasseg.weights.from_torch`.

    Returns:
        keras.Model: image -> dict of taps.

    Raises:
        ValueError: for another output stride.
        WeightsError: if `weights` cannot be read or do not fit.
    """
    check_output_stride(output_stride, name)
    is_published = isinstance(weights, str) and weights == "imagenet"
    source = application(
        include_top=False,
        weights="imagenet" if is_published else None,
        input_shape=SOURCE_SHAPE,
    )
    outputs = {tap: _last(source, pattern).output for tap, pattern in taps.items()}
    original = keras.Model(source.input, outputs, name=name)
    image = keras.Input(input_shape, name="image")
    model = _rebuild(original, image, scale, output_stride)
    if is_published:
        # The source has weights behind the last tap, too.
        known = named_variables(model)
        weights = {v.path: v.numpy() for v in source.weights if v.path in known}
    return load(model, weights, rules=rules)


def _last(model, pattern):
    return [x for x in model.layers if re.fullmatch(pattern, x.name)][-1]


def _rebuild(original, image, scale, output_stride):
    """Model of new layers from `image` on, those of `original` but for the changes."""
    changes = _changes(original, output_stride)
    normalized = Normalize(*scale, name="normalize")(image)

    def copy(layer):
        # `normalized` and "same" padding take their places.
        if isinstance(layer, SCALINGS) or _is_one_sided(layer):
            return None
        new = changes.get(layer.name, {})
        if isinstance(layer, layers.AveragePooling2D) and "dilation_rate" in new:
            return functools.partial(
                _average_apart, distance=new["dilation_rate"], name=layer.name
            )
        kind = OURS.get(type(layer), type(layer))
        return kind.from_config({**layer.get_config(), **new})

    def call(layer, *inputs, **options):
        # Whatever read the image reads the normalised one.
        inputs = [normalized if x is image else x for x in inputs]
        return inputs[0] if layer is None else layer(*inputs, **options)

    return keras.models.clone_model(
        original, input_tensors=image, clone_function=copy, call_function=call
    )


def _changes(original, output_stride):
    """New configuration entries by layer name: dilation, padding, names."""
    changes = plan_dilation(original, output_stride)
    for operation in original.operations:
        for parent in parents_of(operation):
            if _is_one_sided(parent):
                changes.setdefault(operation.name, {})["padding"] = "same"
            elif re.fullmatch(NUMBERED, parent.name):
                name = f"before_{operation.name}"
                changes.setdefault(parent.name, {})["name"] = name
    return changes


def _average_apart(x, distance, name):
    """Average the pixels that a 2x2 pooling sees in a map `distance` times coarser."""
    x = layers.ZeroPadding2D(((0, distance), (0, distance)), name=f"{name}_pad")(x)
    corners = [(row, column) for row in (0, distance) for column in (0, distance)]
    crops = [
        layers.Cropping2D(
            ((row, distance - row), (column, distance - column)),
            name=f"{name}_{row}_{column}",
        )
        for row, column in corners
    ]
    return layers.Average(name=name)([crop(x) for crop in crops])


def _is_one_sided(layer):
    """Whether a layer pads by hand what "same" would pad at even sizes."""
    if not isinstance(layer, layers.ZeroPadding2D):
        return False
    return any(before != after for before, after in layer.padding)
