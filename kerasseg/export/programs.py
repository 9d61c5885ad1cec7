"""Models as programs of other runtimes: image in, class ids or objects out."""

import json

from kerasseg import tasks
from kerasseg.export import about, checks, quantization
from kerasseg.predict import converters, in_graph, runtimes


def write(
    model,
    path,
    *,
    format,
    value_range=None,
    precision="float32",
    pictures=(),
    raw=False,
):
    """Write one file, and compare it with the model where its runtime is installed.

    Args:
        model, value_range, precision, pictures: as of `save`.
        path: pathlib.Path of the file, in a folder that holds nothing else.
        format: of `predict.runtimes.RUNTIMES`.
        raw: write all that the model returns instead of class ids.

    Returns:
        dict for kerasseg.json: "precision" and "tensors".

    Raises:
        ExportError: as of `save`.
    """
    make = in_graph.raw if raw else tasks.of(model).program
    function = make(model, value_range)
    if precision == "int8":
        pictures = quantization.fitting(pictures, function.input_signature[0])
    try:
        half = precision == "float16"
        new = make(model, value_range)
        converters.convert(model, new, path, format, half=half)
        if precision == "int8":
            quantization.quantize(path, format, pictures)
    except Exception as error:  # converters raise what they like
        reason = f"the converter fails: {error}"
        raise checks.refusal(model, format, reason) from error
    compare = tasks.differences.of_maps if raw else tasks.of(model).differences
    checks.check(model, function, path, format, compare, precision)
    return {"precision": precision, "tensors": _tensors(function, path, format)}


def _tensors(function, path, format):
    """Names of the file for programs that use it; without its runtime, less of them."""
    if runtimes.RUNTIMES[format].is_there():
        program = runtimes.open_file(path, format)
        return {"inputs": program.inputs, "outputs": program.outputs}
    concrete = function.get_concrete_function()
    args, named = concrete.structured_input_signature
    (images,) = [*args, *named.values()]
    return about.tensors({images.name: images}, concrete.structured_outputs)


def write_about(path, content):
    """Write NAME.json beside a file, with the SHA-256 of all that lies there."""
    content = {**content, "files": about.digests(path.parent)}
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    path.with_name(f"{path.name}.json").write_text(text, encoding="utf-8")
