"""Models as files: Keras, ONNX, OpenVINO, LiteRT."""

import functools
import os
import pathlib
import tempfile
import typing
from collections.abc import Callable

import keras

from kerasseg import names
from kerasseg.export import programs, quantization
from kerasseg.export.about import describe
from kerasseg.export.saved_model import saved_model
from kerasseg.predict import forward, runtimes

SAVED_MODEL = ("saved_model", "tf_saved_model")
PRECISIONS = ("float32", "float16", "int8")


def save(
    model,
    path,
    *,
    format="saved_model",
    class_names=None,
    palette=None,
    value_range=None,
    precision="float32",
    pictures=(),
):
    """Write a model in one of several formats.

    A file of ONNX, OpenVINO or LiteRT takes `images` uint8 [N, H, W, C], raw RGB (or
    float32 in numbers of the `value_range`), and returns, by name, `class_ids` int32
    [N, H, W] and `confidence` float32 [N, H, W], or `boxes`, `classes`, `scores`,
    `masks` and `num` of instance models, which resize the image inside, or the maps of
    StarDist and Panoptic-DeepLab. Height and width are free, unless the model was built
    for one size and is none of instances; LiteRT takes 256 x 256 until its input is
    resized.

    Args:
        model: keras.Model.
        path: file to write; the format's suffix is added where missing. For
            "saved_model" the folder of versions.
        format: "saved_model" (or "tf_saved_model": see `saved_model`), "keras"
            (architecture and weights: raw image -> logits), "weights" (.weights.h5), or
            "onnx", "openvino", "litert".
        class_names, palette, value_range: as of `saved_model`.
        precision: "float32"; "float16", weights of 16 bits with which runtimes compute
            as before; "int8", weights and activations of 8 bits. The latter two are for
            "onnx", "openvino" and "litert".
        pictures: arrays [H, W, C], what the file takes, such as those that it will see:
            "int8" takes the ranges of activations from them, and needs 8 at least.

    Returns:
        pathlib.Path of what was written. A file appears complete or not at all, and
        replaces one that was there; so does NAME.json beside it, which tells classes,
        colours, values, tensors and the SHA-256 of the file.

    Raises:
        ValueError: if the format is unknown, or cannot hold such a precision.
        ImportError: if a package that the format needs is missing.
        ExportError: if the file cannot be written, or its runtime, where that is
            installed, cannot open it or answers otherwise than the model at one of two
            sizes, of which one is odd. Nothing is left behind.
    """
    pictures = list(pictures)
    chosen = check(format, precision, pictures)
    look = {"palette": palette, "value_range": value_range}
    if format in SAVED_MODEL:
        return saved_model(model, path, class_names=class_names, **look)
    content = describe(model, class_names, **look)
    options = {}
    if chosen.precisions != ("float32",):
        options = {"value_range": value_range, "precision": precision}
        options["pictures"] = pictures
    else:  # the model itself, without what makes answers of its outputs
        content["outputs"] = _outputs(model)
    write = functools.partial(chosen.write, model, **options)
    return _write(write, path, chosen.suffix, {**content, "file_format": format})


def _outputs(model):
    """Dtype and shape of what a model returns, by name; "logits" of a single tensor."""
    if forward.output_names(model):
        found = model.output
    else:  # of which a Sequential has no `output` before it was called
        found = dict(zip(["logits"], model.outputs))
    sides = {name: ["N", *map(str, x.shape[1:])] for name, x in found.items()}
    return {name: f"{x.dtype} [{', '.join(sides[name])}]" for name, x in found.items()}


def save_raw(model, path, *, format, value_range=None):
    """Write all that a model returns: logits instead of class ids.

    Args:
        model, path, value_range: as of `save`.
        format: "onnx", "openvino" or "litert".

    Returns:
        pathlib.Path of the file; NAME.json beside it tells less than that of `save`.

    Raises:
        ValueError, ImportError, ExportError: as `save`.
    """
    table = {name: x for name, x in FORMATS.items() if x.precisions != ("float32",)}
    names.look_up(format, table, "format")
    chosen = check(format)
    options = {"value_range": value_range, "raw": True}
    write = functools.partial(chosen.write, model, **options)
    return _write(write, path, chosen.suffix, {"format": 1, "file_format": format})


def check(format, precision="float32", pictures=None):
    """Refuse what cannot be written before anything is.

    Args:
        format, precision, pictures: as of `save`; None for pictures that will follow.

    Returns:
        The `Format`, None for a SavedModel.

    Raises:
        ValueError, ImportError: as of `save`.
    """
    known = {**FORMATS, **dict.fromkeys(SAVED_MODEL)}
    chosen = names.look_up(format, known, "format")
    names.look_up(precision, dict.fromkeys(PRECISIONS), "precision")
    holds = chosen.precisions if chosen else ("float32",)
    if precision not in holds:
        able = [name for name, x in FORMATS.items() if precision in x.precisions]
        raise ValueError(
            f"precision={precision!r} is for format {' or '.join(map(repr, able))}. "
            f"Received: format={format!r}, which holds {', '.join(holds)}."
        )
    if chosen is None:
        return None
    if missing := runtimes.missing(*chosen.packages):
        raise ImportError(
            f"format={format!r} needs {' and '.join(missing)}. Install with: "
            f"pip install 'kerasseg[{chosen.extra}]'."
        )
    if precision == "int8":
        quantization.check(format, pictures)
    return chosen


def _write(write, path, suffix, content):
    """Let a function write a file, describe it, and move both to their place."""
    path = pathlib.Path(path)
    if not path.name.endswith(suffix):
        path = path.with_name(path.name + suffix)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=path.parent) as folder:
        target = pathlib.Path(folder) / path.name
        content = {**content, **(write(target) or {})}
        if "tensors" in content and "outputs" in content:  # some are SavedModels' only
            told, there = content["outputs"], content["tensors"]["outputs"]
            content["outputs"] = {k: x for k, x in told.items() if k in there}
        programs.write_about(target, content)
        # Sorted: the .bin of OpenVINO is there before the .xml that readers open.
        for part in sorted(pathlib.Path(folder).iterdir()):
            os.replace(part, path.parent / part.name)
    return path


class Format(typing.NamedTuple):
    """A format of files.

    Attributes:
        suffix: of its files.
        write: function (model, path of the file); where `precisions` are several, it
            takes the options of `programs.write`, too, and returns what it does.
        packages: modules that it needs.
        extra: the extra of kerasseg that brings them.
        precisions: of the numbers in its files.
    """

    suffix: str
    write: Callable
    packages: tuple = ()
    extra: str | None = None
    precisions: tuple = ("float32",)


def _program(format):
    """Row of a format that another runtime runs."""
    write = functools.partial(programs.write, format=format)
    runtime = runtimes.RUNTIMES[format]
    return Format(runtime.suffix, write, runtime.writers, runtime.extra, PRECISIONS)


FORMATS = {
    **{format: _program(format) for format in runtimes.RUNTIMES},
    "keras": Format(".keras", keras.Model.save),
    "weights": Format(".weights.h5", keras.Model.save_weights),
}
