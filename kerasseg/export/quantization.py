"""Written files in integers of 8 bits, calibrated on pictures."""

import contextlib
import importlib.util
import logging
import os
import re
import shutil
import tempfile
import warnings

import numpy as np

from kerasseg.names import look_up

FEWEST = 8  # pictures: ranges of fewer depend on each of them
# Operations with weights, and what they are computed together with. More of them, such
# as sums, which need finer numbers, would lose more and be no faster.
ONNX_OPERATIONS = ("Conv", "ConvTranspose", "Gemm", "MatMul", "MaxPool", "Relu", "Clip")


def quantize(path, format, pictures):
    """Make a float32 file one of int8, in place.

    Args:
        path: pathlib.Path of the file.
        format: "onnx", "openvino" or "litert".
        pictures: arrays [H, W, C] as the file takes them, of which the ranges of
            activations are taken.
    """
    write, _ = look_up(format, QUANTIZERS, "format")
    pictures = [picture[None] for picture in pictures]
    with tempfile.TemporaryDirectory(prefix="kerasseg-") as folder, _quiet():
        target = os.path.join(folder, path.name)
        write(str(path), target, pictures)
        for name in os.listdir(folder):  # OpenVINO's are two
            if name.startswith(path.stem):
                shutil.move(os.path.join(folder, name), path.with_name(name))


def check(format, pictures):
    """Refuse what cannot be quantized.

    Raises:
        ValueError: if there are too few pictures.
        ImportError: if a package is missing.
    """
    _, packages = QUANTIZERS[format]
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(
            f"precision='int8' needs {' and '.join(missing)} for format={format!r}. "
            "Install with: pip install 'kerasseg[int8]'."
        )
    if pictures is not None and len(pictures) < FEWEST:
        raise ValueError(
            f"precision='int8' needs at least {FEWEST} `pictures` such as those that "
            f"the model will see. Received: {len(pictures)}."
        )


def fitting(pictures, spec):
    """Pictures, none of which is other than the file will take.

    Args:
        pictures: arrays [H, W, C].
        spec: tf.TensorSpec of the file's images.

    Raises:
        ValueError: names the first one of another shape or dtype: OpenVINO would take
            ranges of any numbers.
    """
    sides, dtype = spec.shape[1:].as_list(), spec.dtype.name
    for index, picture in enumerate(map(np.asarray, pictures)):
        given = picture.shape
        fits = len(given) == 3 and all(n in (None, m) for n, m in zip(sides, given))
        if not fits or picture.dtype != dtype:
            wanted = ", ".join(str(n or name) for n, name in zip(sides, "HW "))
            raise ValueError(
                f"pictures[{index}] must be {dtype} [{wanted}], what the file takes. "
                f"Received: {picture.dtype} {list(given)}."
            )
    return pictures


@contextlib.contextmanager
def _quiet():
    """Keep the bars and advice of the packages from the terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with (
            open(os.devnull, "w") as nothing,
            contextlib.redirect_stdout(nothing),
            contextlib.redirect_stderr(nothing),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _onnx(source, target, pictures):
    from onnxruntime import quantization

    class Reader(quantization.CalibrationDataReader):
        rows = iter(pictures)

        def get_next(self):
            images = next(self.rows, None)
            return None if images is None else {"images": images}

    prepared = f"{target}.prepared"
    shapes = {"skip_symbolic_shape": True}  # it fails where sizes are unknown
    quantization.quant_pre_process(source, prepared, **shapes)
    quantization.quantize_static(
        prepared,
        target,
        Reader(),
        quant_format=quantization.QuantFormat.QDQ,
        per_channel=True,
        activation_type=quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8,
        op_types_to_quantize=ONNX_OPERATIONS,
        nodes_to_exclude=_exact_in_onnx(prepared),
    )
    os.remove(prepared)


def _exact_in_onnx(path):
    """Names of operations that stay float32, of those in `ONNX_OPERATIONS`."""
    import onnx

    graph = onnx.load(path).graph
    nodes = graph.node  # each behind those that it reads
    weights = {one.name for one in graph.initializer}
    products = [x for x in nodes if x.op_type == "MatMul"]
    makers = {output: node.name for node in nodes for output in node.output}
    operations = [
        (x.name, x.op_type.startswith("Conv"), [makers.get(y) for y in x.input])
        for x in nodes
    ]
    of_activations = [x.name for x in products if weights.isdisjoint(x.input)]
    return [*of_activations, *first_convolutions(operations)]


def first_convolutions(operations):
    """Names of the convolutions that no other one precedes.

    They stay float32: what they round, all others see, and they cost little.

    Args:
        operations: (name, whether it is a convolution, names of those that it reads),
            each one behind those that it reads.

    Returns:
        list of str.
    """
    behind, first = set(), []
    for name, convolves, sources in operations:
        follows = not behind.isdisjoint(sources)
        if convolves and not follows:
            first.append(name)
        if convolves or follows:
            behind.add(name)
    return first


def _openvino(source, target, pictures):
    import nncf
    import openvino

    model = openvino.Core().read_model(source)
    names = first_convolutions([_about(one) for one in model.get_ordered_ops()])
    # Ranges of channels stay where axis 1 is channels: behind transpositions. NNCF
    # would take those of rows, and the file would fit images of one height.
    scope = nncf.IgnoredScope(names=names, types=["Transpose"], validate=False)
    # By default ranges are means of those of the pictures, which cuts off what is
    # large: StarDist's distances were .16 px too long.
    whole = nncf.quantization.range_estimator.RangeEstimatorParametersSet.MINMAX
    model = nncf.quantize(
        model,
        nncf.Dataset(pictures),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(pictures),
        ignored_scope=scope,
        advanced_parameters=nncf.AdvancedQuantizationParameters(
            activations_range_estimator_params=whole
        ),
    )
    openvino.save_model(model, target, compress_to_fp16=False)


def _about(operation):
    """Facts for `first_convolutions` of an operation of OpenVINO."""
    sources = [one.get_node().get_friendly_name() for one in operation.input_values()]
    convolves = "Convolution" in operation.get_type_name()
    return operation.get_friendly_name(), convolves, sources


def _litert(source, target, pictures):
    from ai_edge_quantizer import quantizer, recipe

    worker = quantizer.Quantizer(source)
    (rule,) = recipe.static_wi8_ai8()
    operations = recipe.TFLOperationName
    convolutions = (operations.CONV_2D, operations.DEPTHWISE_CONV_2D)
    convolutions += (operations.CONV_2D_TRANSPOSE, operations.FULLY_CONNECTED)
    # By rules for these alone: sums, and the answers, need finer numbers.
    worker.load_quantization_recipe([{**rule, "operation": x} for x in convolutions])
    for name in first_convolutions(_about_litert(source)):
        worker.update_quantization_recipe(
            regex=re.escape(name),
            operation_name=operations.ALL_SUPPORTED,
            algorithm_key=recipe.AlgorithmName.NO_QUANTIZE,
        )
    rows = [{"images": images} for images in pictures]
    found = worker.quantize(worker.calibrate({"serving_default": rows}))
    with open(target, "wb") as file:
        file.write(found.quantized_model)


def _about_litert(path):
    """Facts for `first_convolutions` of the operations of a LiteRT file."""
    from tensorflow.lite.python import schema_py_generated as schema
    from tensorflow.lite.tools import flatbuffer_utils

    codes, model = schema.BuiltinOperator, flatbuffer_utils.read_model(path)
    convolutions = codes.CONV_2D, codes.DEPTHWISE_CONV_2D, codes.TRANSPOSE_CONV
    graph = model.subgraphs[0]
    names = [tensor.name.decode() for tensor in graph.tensors]
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex].builtinCode
        sources = [names[index] for index in operator.inputs if index >= 0]
        yield names[operator.outputs[0]], code in convolutions, sources


# format -> (function of a file, its target and batches of images; packages)
QUANTIZERS = {
    "onnx": (_onnx, ("onnxruntime",)),
    "openvino": (_openvino, ("openvino", "nncf")),
    "litert": (_litert, ("ai_edge_quantizer",)),
}
