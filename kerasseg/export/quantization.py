"""Written files in integers of 8 bits, calibrated on pictures."""

import contextlib
import importlib.util
import logging
import os
import shutil
import tempfile
import warnings

import numpy as np

from kerasseg.names import look_up

FEWEST = 8  # pictures: ranges of fewer depend on each of them
# Operations between convolutions, too: each that is left out is a change of the type.
ONNX_OPERATIONS = (
    *("Conv", "ConvTranspose", "MatMul", "Gemm", "Add", "Concat", "MaxPool"),
    *("Relu", "Resize"),
)


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
    )
    os.remove(prepared)


def _openvino(source, target, pictures):
    import nncf
    import openvino

    model = openvino.Core().read_model(source)
    preset = nncf.QuantizationPreset.MIXED
    number = len(pictures)
    data = nncf.Dataset(pictures)
    # Ranges of channels stay where axis 1 is channels: behind transpositions. NNCF
    # would take those of rows, and the file would fit images of one height.
    scope = nncf.IgnoredScope(types=["Transpose"], validate=False)
    model = nncf.quantize(
        model, data, preset=preset, subset_size=number, ignored_scope=scope
    )
    openvino.save_model(model, target, compress_to_fp16=False)


def _litert(source, target, pictures):
    from ai_edge_quantizer import quantizer, recipe

    worker = quantizer.Quantizer(source)
    worker.load_quantization_recipe(recipe.static_wi8_ai8())
    # Answers stay float32: the confidence would become one of 256 numbers.
    worker.update_quantization_recipe(
        regex=".*",
        operation_name=recipe.TFLOperationName.OUTPUT,
        algorithm_key=recipe.AlgorithmName.NO_QUANTIZE,
    )
    rows = [{"images": images} for images in pictures]
    found = worker.quantize(worker.calibrate({"serving_default": rows}))
    with open(target, "wb") as file:
        file.write(found.quantized_model)


# format -> (function of a file, its target and batches of images; packages)
QUANTIZERS = {
    "onnx": (_onnx, ("onnxruntime",)),
    "openvino": (_openvino, ("openvino", "nncf")),
    "litert": (_litert, ("ai_edge_quantizer",)),
}
