"""Arguments of encoders and architectures, answered at the door."""

import dataclasses
import functools
import inspect
import os
import types
import warnings
from collections.abc import Callable

import keras
import numpy as np

from kerasseg.names import nearest


@dataclasses.dataclass(frozen=True)
class BuiltWith:
    """The function that built a model, and its arguments but for weights."""

    function: Callable
    # A view: Keras would make the layers in a dictionary the model's own.
    options: types.MappingProxyType


def checked(function):
    """Wrap a builder so that its arguments are checked before anything is built.

    NumPy's numbers become Python's. Of the names that builders share, `num_classes`,
    `num_rays`, `encoder`, `input_shape`, `encoder_weights`, `weights`, `atrous_rates`
    and those of filters are checked.
    The model that is returned keeps them as its attribute `built_with`.

    Raises:
        TypeError: for an argument that the function does not have, with the word for it
            here where others' libraries or a slip gave it another.
        ValueError: from the wrapped function, for an argument of another kind.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def build(*args, **kwargs):
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:
            for name, value in kwargs.items():
                if name not in signature.parameters:
                    _refuse_unknown(name, value, function)
            return function(*args, **kwargs)  # Python's message names the function
        given = {name: plain(value) for name, value in bound.arguments.items()}
        for name, value in given.items():
            if name in CHECKS:
                CHECKS[name](name, value, function)
            elif name.endswith("filters") or name == "atrous_rates":
                _check_sizes(name, value)
        model = function(**given)
        bound.arguments = given
        bound.apply_defaults()
        options = {k: v for k, v in bound.arguments.items() if k not in WEIGHTS}
        # Loaders of weights tell by it whether a file fits; Keras does not save it.
        model.built_with = BuiltWith(function, types.MappingProxyType(options))
        return model

    return build


def _refuse_unknown(name, value, function):
    known = inspect.signature(function).parameters
    fix = nearest(name, known)
    if (ours := ELSEWHERE.get(name)) in known:
        fix = f" Write {ours}={value!r}."
    elif name == "activation":
        fix = (
            " Models return logits, which losses take; "
            "kerasseg.predict.probabilities(model, image) returns probabilities."
        )
    elif name in ("in_channels", "channels") and "input_shape" in known:
        fix = f" Write input_shape=(None, None, {value!r})."
    raise TypeError(
        f"{function.__name__}() has no argument {name!r}. "
        f"Received: {name}={value!r}.{fix}"
    )


def plain(value):
    """A value with Python's numbers in place of NumPy's, inside of lists and tuples."""
    if isinstance(value, np.generic):
        return value.item()
    if type(value) in (list, tuple):
        return type(value)(plain(item) for item in value)
    return value


def _check_count(name, value, function):
    if type(value) is int and value > 0:
        return
    fix = ""
    if isinstance(value, (str, keras.Model)):
        # Others' libraries take the encoder first.
        encoder = value if isinstance(value, str) else "..."
        fix = f" Pass an encoder second: {function.__name__}(2, encoder={encoder!r})."
    elif name == "num_classes" and value in (0, None):
        fix = " One binary logit is num_classes=1."
    raise ValueError(
        f"`{name}` must be a whole number from 1 on. Received: {name}={value!r}.{fix}"
    )


def _check_sizes(name, value):
    def fits(x):
        several = isinstance(x, (tuple, list))
        return all(map(fits, x)) if several else type(x) is int and x > 0

    if value is not None and not fits(value):
        raise ValueError(
            f"`{name}` must be whole numbers from 1 on. Received: {name}={value!r}."
        )


def _check_encoder(name, value, function):
    if isinstance(value, (str, keras.Model)):
        return
    # An encoder's function has its name; keras.applications.ResNet50 has another.
    called = str(getattr(value, "__name__", ""))
    fix = f" Write encoder={called!r}." if called.islower() else ""
    raise ValueError(
        "`encoder` must be the name of an encoder (kerasseg.encoders.names()) or a "
        f"keras.Model with taps. Received: {name}={value!r}.{fix}"
    )


def _check_input_shape(name, value, function):
    right = isinstance(value, (tuple, list)) and len(value) == 3
    right = right and all(type(n) is int and n > 0 for n in value if n is not None)
    if right and value[2] is not None:
        height, width, channels = value
        if height in (1, 3, 4) and (width or 0) > 16 and channels > 16:
            warnings.warn(
                f"`input_shape` is (height, width, channels): {value} has {channels} "
                f"channels. As channels come last, is ({width}, {channels}, {height}) "
                "meant?",
                stacklevel=4,
            )
        return
    raise ValueError(
        "`input_shape` must be (height, width, channels), whole numbers; height and "
        f"width may be None. Received: {name}={value!r}."
    )


def _check_weights(name, value, function):
    whole_model = "encoder_weights" in inspect.signature(function).parameters
    whole_model = whole_model and name == "weights"
    is_path = isinstance(value, (str, os.PathLike))
    text = value if isinstance(value, str) else ""
    if whole_model and text.lower() == "imagenet":
        raise ValueError(
            "`weights` must be None or a path to weights of the whole model. "
            f"Received: {name}={value!r}. Write encoder_weights='imagenet' for an "
            "encoder trained on ImageNet."
        )
    if text == "imagenet" or (is_path and text.lower() != "imagenet"):
        return
    if value is None or isinstance(value, dict):  # arrays by name
        return
    fix = " Write None." if value is False else ""
    if not whole_model and value is not False:
        fix = f" Write {name}='imagenet'."
    allowed = "None or a path" if whole_model else "None, 'imagenet' or a path"
    raise ValueError(f"`{name}` must be {allowed}. Received: {name}={value!r}.{fix}")


WEIGHTS = ("weights", "encoder_weights")
# Words of segmentation_models, segmentation_models.pytorch, torchvision, keras-hub.
ELSEWHERE = {
    **dict.fromkeys(("classes", "n_classes", "nclass", "num_labels"), "num_classes"),
    **dict.fromkeys(("encoder_name", "backbone_name", "backbone"), "encoder"),
    **dict.fromkeys(("weights_backbone", "pretrained"), "encoder_weights"),
    "decoder_channels": "decoder_filters",
    "decoder_attention_type": "attention",
    "image_shape": "input_shape",
}
CHECKS = {
    "num_classes": _check_count,
    "num_rays": _check_count,
    "encoder": _check_encoder,
    "input_shape": _check_input_shape,
    "encoder_weights": _check_weights,
    "weights": _check_weights,
}
