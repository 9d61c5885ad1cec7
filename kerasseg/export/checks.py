"""Written files, opened by their runtimes and compared with the model."""

import importlib.util
import warnings

import keras
import numpy as np

from kerasseg.predict import forward

SIZES = ((64, 96), (65, 97))  # the second is odd at every halving
TOLERANCE = 1e-3  # of the largest value; OpenVINO rounds to 1e-4 of it
LARGER = (0, 192, 384)  # of images, for U-Nets with unpadded convolutions


class ExportError(RuntimeError):
    """A written file does not open in its runtime, or answers otherwise."""


def check(model, path, format):
    """Compare a written file with the model on images of two sizes, one of them odd.

    Models of a fixed size are compared at that size.

    Args:
        model: keras.Model.
        path: the file.
        format: "onnx", "openvino" or "litert".

    Returns:
        Whether there was a runtime to open it: onnxruntime, openvino, ai_edge_litert.

    Raises:
        ExportError: names the runtime, the output, the size and the difference.
    """
    name, module, load = RUNTIMES[format]
    if importlib.util.find_spec(module.partition(".")[0]) is None:
        return False
    try:
        run = load(str(path))
    except Exception as error:  # runtimes raise what they like
        raise refusal(model, format, f"{name} cannot open it: {error}") from error
    for size in _sizes(model):
        images = _images(model, size)
        expected = _by_name(model(images, training=False))
        try:
            found = run(images)
        except Exception as error:
            reason = f"{name} cannot run it at {size[0]}x{size[1]}: {error}"
            raise refusal(model, format, reason) from error
        _compare(model, format, expected, found, size)
    return True


def refusal(model, format, reason):
    """The error of a file that was not written, with a way out."""
    others = " or ".join(repr(x) for x in (*RUNTIMES, "saved_model") if x != format)
    return ExportError(
        f"{model.name!r} cannot be written as {format!r}: {str(reason)[:600]} Nothing "
        f"was left behind. Try format={others}."
    )


def _sizes(model):
    height, width, _ = forward.input_shape(model)
    sizes = [(height or h, width or w) for h, w in SIZES]
    for more in () if height and width else LARGER:
        larger = [(height or h + more, width or w + more) for h, w in SIZES]
        if all(_is_answered(model, size) for size in larger):
            return larger
    return sorted(set(sizes))


def _is_answered(model, size):
    """Whether something is left of images of a size by unpadded convolutions."""
    image = keras.KerasTensor((1, *size, forward.input_shape(model)[-1]))
    try:
        outputs = keras.tree.flatten(model.compute_output_spec(image))
    except ValueError:
        return False
    return all(n is None or n > 0 for x in outputs for n in x.shape)


def _images(model, size):
    """Noise float32 [1, H, W, C] in 0..255."""
    shape = (1, *size, forward.input_shape(model)[-1])
    noise = np.random.default_rng(0).uniform(0, 255, shape)
    return noise.astype("float32")


def _by_name(outputs):
    """Outputs as a dict of arrays; a single tensor is "output"."""
    outputs = outputs if isinstance(outputs, dict) else {"output": outputs}
    return forward.to_arrays(outputs)


def _compare(model, format, expected, found, size):
    if len(expected) == 1:
        found = {next(iter(expected)): x for x in list(found.values())[:1]}
    missing = sorted(set(expected) - set(found))
    if missing:
        reason = f"it has outputs {sorted(found)}, not {missing}."
        raise refusal(model, format, reason)
    names = expected
    if "num" in expected:  # near ties of scores may change the places of objects
        names = ("scores",)
    for name in names:
        right, other = expected[name], found[name]
        if right.shape != other.shape:
            reason = f"{name!r} has shape {other.shape}, not {right.shape}."
            raise refusal(model, format, reason)
        scale = max(float(np.abs(right).max(initial=0)), 1e-6)
        error = float(np.abs(other.astype("float64") - right).max(initial=0)) / scale
        if not error <= TOLERANCE:  # NaN, too
            raise refusal(
                model,
                format,
                f"{name!r} differs from the model's by {error:.2g} of the largest "
                f"value at {size[0]}x{size[1]} px ({TOLERANCE} is allowed).",
            )


def _onnx(path):
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    image = session.get_inputs()[0].name
    names = [output.name for output in session.get_outputs()]
    return lambda images: dict(zip(names, session.run(names, {image: images})))


def _openvino(path):
    import openvino

    options = {"INFERENCE_PRECISION_HINT": "f32"}  # else bfloat16 where there is any
    compiled = openvino.Core().compile_model(path, "CPU", options)
    names = [next(iter(x.names), str(i)) for i, x in enumerate(compiled.outputs)]
    return lambda images: dict(zip(names, compiled([images]).to_tuple()))


def _litert(path):
    from ai_edge_litert.interpreter import Interpreter

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        interpreter = Interpreter(path)
    (signature,) = interpreter.get_signature_list().values()
    (image,) = signature["inputs"]
    run = interpreter.get_signature_runner()
    return lambda images: run(**{image: images})


# format -> (name, module, function from a path to a function of images)
RUNTIMES = {
    "onnx": ("ONNX Runtime", "onnxruntime", _onnx),
    "openvino": ("OpenVINO", "openvino", _openvino),
    "litert": ("LiteRT", "ai_edge_litert", _litert),
}
