"""Other runtimes than TensorFlow: files opened as functions of images."""

import importlib.util
import os
import typing
import warnings
from collections.abc import Callable

import numpy as np

from kerasseg import names

MOST_FIXED = 4  # sizes of images that OpenVINO has a program of its own for


class Runtime(typing.NamedTuple):
    """A program that runs files of one format.

    Attributes:
        title: its name, "ONNX Runtime".
        suffix: of its files.
        module: that opens them.
        writers: modules that write them.
        extra: of kerasseg, which brings all of these.
        load: function from a path to a `Program`.
    """

    title: str
    suffix: str
    module: str
    writers: tuple
    extra: str
    load: Callable

    @property
    def packages(self):
        """All modules, those that write and the one that opens."""
        return tuple(dict.fromkeys((*self.writers, self.module)))

    def is_there(self):
        """Whether files can be opened."""
        return not missing(self.module)


class Program(typing.NamedTuple):
    """A file that was opened.

    Attributes:
        run: function from images, an array [N, H, W, C] of `dtype`, to a dict of
            arrays by name.
        dtype: of the images, as NumPy calls it.
        inputs, outputs: dict from each name to {"dtype", "shape", "tensor"}; None in a
            shape where any size will do, "tensor" is the name in the file.
    """

    run: Callable
    dtype: str
    inputs: dict
    outputs: dict


def open_file(path, format):
    """Open a file of another runtime.

    Args:
        path: the file.
        format: "onnx", "openvino" or "litert".

    Returns:
        `Program`.

    Raises:
        ValueError: if there is no such format.
        ImportError: if its runtime is not installed.
    """
    runtime = names.look_up(format, RUNTIMES, "format")
    require(format, runtime.module)
    return runtime.load(str(path))


def missing(*modules):
    """Those of some modules that are not installed."""
    return [name for name in modules if importlib.util.find_spec(name) is None]


def require(format, *modules):
    """Refuse to go on without modules that a format needs.

    Raises:
        ImportError: says how to install them.
    """
    if absent := missing(*modules):
        raise ImportError(
            f"{format!r} needs {' and '.join(absent)}. Install with: "
            f"pip install 'kerasseg[{RUNTIMES[format].extra}]'."
        )


def _about(dtype, shape, tensor):
    shape = [n if isinstance(n, int) and n > 0 else None for n in shape]
    return {"dtype": str(np.dtype(dtype)), "shape": shape, "tensor": tensor}


def _onnx(path):
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    dtypes = {"float": "float32"}
    tables = []
    for found in (session.get_inputs(), session.get_outputs()):
        kinds = [x.type.removeprefix("tensor(").removesuffix(")") for x in found]
        kinds = [dtypes.get(kind, kind) for kind in kinds]
        rows = zip(found, kinds)
        tables.append({x.name: _about(kind, x.shape, x.name) for x, kind in rows})
    inputs, outputs = tables
    (image,) = inputs

    def run(images):
        return dict(zip(outputs, session.run(list(outputs), {image: images})))

    return Program(run, inputs[image]["dtype"], inputs, outputs)


def _openvino(path):
    import openvino

    core = openvino.Core()
    # Without the hint it computes with bfloat16 where the processor can.
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    read = core.read_model(path)
    compiled = core.compile_model(read, "CPU", options)
    tables = []
    for found in (compiled.inputs, compiled.outputs):
        table = {}
        for place, x in enumerate(found):
            name = min(x.names, default=str(place))
            shape = [n.get_length() if n.is_static else None for n in x.partial_shape]
            table[name] = _about(x.element_type.to_dtype(), shape, name)
        tables.append(table)
    inputs, outputs = tables
    (image,) = inputs

    seen, fixed = set(), {}
    is_free = None in inputs[image]["shape"] and not _gathers_batches(read)

    def compiled_for(shape):
        """The program, or that of one size, which takes two thirds of the time.

        A size that comes once is not worth the compilation.
        """
        if shape in seen and shape not in fixed and is_free:
            model = read.clone()
            model.reshape(shape)
            fixed[shape] = core.compile_model(model, "CPU", options)
            for old in list(fixed)[:-MOST_FIXED]:
                del fixed[old]
        seen.add(shape)
        return fixed.get(shape, compiled)

    dtype = inputs[image]["dtype"]

    def run(images):
        if images.dtype != dtype:  # other numbers would be cast
            raise ValueError(
                f"The file takes images of {dtype}. Received: {images.dtype}."
            )
        # The images are read where they lie; answers are copied, as they are reused.
        found = compiled_for(images.shape)([images], share_inputs=True)
        return dict(zip(outputs, found.to_tuple()))

    return Program(run, dtype, inputs, outputs)


def _gathers_batches(model):
    """Whether an OpenVINO model must not be compiled for one size.

    Where all shapes are known, Gather with `batch_dims` of a few numbers each ends the
    process on processors with AVX512 (2026.4).
    """
    kinds = (x for x in model.get_ops() if x.get_type_name() == "Gather")
    return any(x.get_attributes().get("batch_dims") for x in kinds)


def _litert(path):
    from ai_edge_litert.interpreter import Interpreter

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        interpreter = Interpreter(path, num_threads=os.cpu_count())
    runner = interpreter.get_signature_runner()
    tables = [
        {
            name: _about(one["dtype"], one["shape_signature"].tolist(), one["name"])
            for name, one in details.items()
        }
        for details in (runner.get_input_details(), runner.get_output_details())
    ]
    inputs, outputs = tables
    (image,) = inputs
    return Program(
        lambda images: runner(**{image: images}),
        inputs[image]["dtype"],
        inputs,
        outputs,
    )


RUNTIMES = {
    "onnx": Runtime(
        "ONNX Runtime", ".onnx", "onnxruntime", ("onnx", "tf2onnx"), "onnx", _onnx
    ),
    "openvino": Runtime(
        "OpenVINO", ".xml", "openvino", ("openvino",), "openvino", _openvino
    ),
    "litert": Runtime("LiteRT", ".tflite", "ai_edge_litert", (), "litert", _litert),
}
