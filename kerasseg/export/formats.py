"""Models as files: Keras, ONNX, OpenVINO, LiteRT."""

import functools
import importlib.util
import os
import pathlib
import tempfile
import typing
from collections.abc import Callable

import keras

from kerasseg import names
from kerasseg.export import checks
from kerasseg.export.saved_model import saved_model
from kerasseg.predict import forward

SAVED_MODEL = ("saved_model", "tf_saved_model")


def save(model, path, *, format="saved_model", class_names=None, palette=None):
    """Write a model in one of several formats.

    Args:
        model: keras.Model.
        path: file to write; the format's suffix is added where missing. For
            "saved_model" the folder of versions.
        format: "saved_model" (or "tf_saved_model": see `saved_model`), "keras"
            (architecture and weights), "weights" (.weights.h5), or "onnx", "openvino",
            "litert": as Keras writes them, raw image -> logits.
        class_names: names by class id, for "saved_model".
        palette: uint8 [K, 3], for "saved_model".

    Returns:
        pathlib.Path of what was written. A file appears complete or not at all, and
        replaces one that was there.

    Raises:
        ValueError: if the format is unknown.
        ImportError: if a package that the format needs is missing.
        ExportError: if the file cannot be written, or its runtime, where that is
            installed, cannot open it or answers otherwise than the model at one of two
            sizes, of which one is odd. Nothing is left behind.
    """
    if format in SAVED_MODEL:
        return saved_model(model, path, class_names=class_names, palette=palette)
    known = {**FORMATS, **dict.fromkeys(SAVED_MODEL)}
    suffix, write, packages, extra = names.look_up(format, known, "format")
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(
            f"format={format!r} needs {' and '.join(missing)}. Install with: "
            f"pip install 'kerasseg[{extra}]'."
        )
    path = pathlib.Path(path)
    if not path.name.endswith(suffix):
        path = path.with_name(path.name + suffix)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=path.parent) as folder:
        target = pathlib.Path(folder) / path.name
        write(model, target)
        # Sorted: the .bin of OpenVINO is there before the .xml that readers open.
        for part in sorted(pathlib.Path(folder).iterdir()):
            os.replace(part, path.parent / part.name)
    return path


def _convert(model, target, *, format):
    """Write a format that Keras converts to, and compare it with the model."""
    height, width, channels = forward.input_shape(model)
    # Keras 3.15 exports to ONNX only what has been called once.
    model(keras.ops.zeros([1, height or 32, width or 32, channels]))
    _export(model, target, format)
    checks.check(model, target, format)


def _export(model, target, format):
    try:
        model.export(str(target), format=format, verbose=False)
    except Exception as error:  # converters raise what they like
        reason = f"the converter fails: {error}"
        raise checks.refusal(model, format, reason) from error


class Format(typing.NamedTuple):
    """A format of files.

    Attributes:
        suffix: of its files.
        write: function (model, path of the file).
        packages: modules that it needs.
        extra: the extra of kerasseg that brings them.
    """

    suffix: str
    write: Callable
    packages: tuple = ()
    extra: str | None = None


FORMATS = {
    "onnx": Format(
        ".onnx",
        functools.partial(_convert, format="onnx"),
        ("onnx", "tf2onnx"),
        "onnx",
    ),
    "openvino": Format(
        ".xml",
        functools.partial(_convert, format="openvino"),
        ("openvino",),
        "openvino",
    ),
    "litert": Format(".tflite", functools.partial(_convert, format="litert")),
    "keras": Format(".keras", keras.Model.save),
    "weights": Format(".weights.h5", keras.Model.save_weights),
}
