"""TensorFlow functions of images as files of other runtimes."""

import contextlib
import gc
import logging
import pathlib
import tempfile
import warnings

import tensorflow as tf

from kerasseg import machine

OPSET = 18  # the newest that tf2onnx 1.17 writes
# Before anybody asks for another size, LiteRT answers images of this one.
DEFAULT_SIZE = (256, 256)


def convert(model, function, path, format, *, half=False):
    """Write a function of images that a model computes as a file of another runtime.

    Args:
        model: keras.Model whose variables the function reads.
        function: TensorFlow function with an input signature of one tensor, images
            [N, H, W, C], that returns a dict of tensors. Their names become those of
            the inputs and outputs of the file. It must be new: it is traced for the
            file, and TensorFlow may not be able to compute it afterwards.
        path: pathlib.Path of the file.
        format: "onnx", "openvino" (the weights lie beside it, as .bin) or "litert".
        half: keep weights as float16; every runtime computes with float32 all the same.

    Raises:
        Exception: what the converter raises for operations that it does not know.
    """
    with (
        tempfile.TemporaryDirectory(prefix="kerasseg-") as folder,
        warnings.catch_warnings(),
        _quiet(),
        machine.converting(),
    ):
        warnings.simplefilter("ignore")  # converters' own, and many
        write_saved_model(model, {"serving_default": function}, folder)
        CONVERTERS[format](function, folder, pathlib.Path(path), half)


def write_saved_model(model, functions, folder):
    """Write a SavedModel of functions and the variables that they read.

    Args:
        model: keras.Model.
        functions: dict from the name of each signature to its TensorFlow function.
        folder: where to.
    """
    module = tf.Module()
    # Variables only: the Keras object would save its own functions, for training too.
    module.model_variables = [variable.value for variable in model.variables]
    with _quiet():  # it would name a folder that is temporary
        tf.saved_model.save(module, str(folder), signatures=functions)


@contextlib.contextmanager
def _quiet():
    """Keep what TensorFlow and tf2onnx log about their work from the terminal."""
    loggers = tf.get_logger(), logging.getLogger("tf2onnx")
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel("ERROR")
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels):
            logger.setLevel(level)


@contextlib.contextmanager
def _freed_at_once():
    """Free what refers to itself soon after it is left.

    tf2onnx copies a graph and its weights dozens of times, and Python, which looks at
    cycles the more rarely the more objects there are (a million in TensorFlow alone),
    kept so many copies that 276 MB of weights took 14 GB and more.
    """
    usual, works, frozen = gc.get_threshold(), gc.isenabled(), gc.get_freeze_count()
    if not frozen:
        gc.freeze()  # what is there already is not looked at
    gc.collect()  # of nearly nothing, which tells Python that there is little
    gc.set_threshold(usual[0], 2, 1)
    gc.enable()
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        if not works:
            gc.disable()
        if not frozen:
            gc.unfreeze()


def _to_onnx(function, folder, path, half):
    import onnx
    import tf2onnx

    signature = function.input_signature
    with _freed_at_once():
        graph, _ = tf2onnx.convert.from_function(function, signature, opset=OPSET)
    pad_dilated(graph)
    if half:
        halve(graph)
    onnx.save(graph, str(path))


def pad_dilated(graph):
    """Write paddings of dilated convolutions as numbers, in place.

    ONNX Runtime refuses those that shall keep the size by themselves.

    Args:
        graph: onnx.ModelProto.
    """
    import onnx

    for node in graph.graph.node:
        values = {x.name: onnx.helper.get_attribute_value(x) for x in node.attribute}
        dilations = values.get("dilations", [1])
        if max(dilations) == 1 or values.get("auto_pad") != b"SAME_UPPER":
            continue
        both = [(n - 1) * rate for n, rate in zip(values["kernel_shape"], dilations)]
        pads = [n // 2 for n in both] + [n - n // 2 for n in both]
        kept = [x for x in node.attribute if x.name != "auto_pad"]
        del node.attribute[:]
        node.attribute.extend([*kept, onnx.helper.make_attribute("pads", pads)])


def halve(graph):
    """Keep the weights of an onnx.ModelProto as float16, in place.

    Each is cast where it is used, which ONNX Runtime does once, when it loads them:
    computing with float16 would be slower, or not possible, on most processors.
    """
    import numpy as np
    import onnx

    graph, casts = graph.graph, []
    for weight in graph.initializer:
        values = onnx.numpy_helper.to_array(weight)
        if values.dtype != "float32" or values.ndim < 2:
            continue  # factors and offsets, which are few
        name, limit = weight.name, np.finfo("float16").max
        small = np.clip(values, -limit, limit).astype("float16")
        weight.CopyFrom(onnx.numpy_helper.from_array(small, f"{name}_float16"))
        cast = onnx.helper.make_node("Cast", [weight.name], [name], to=1)  # float32
        casts.append(cast)
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _to_openvino(function, folder, path, half):
    import openvino

    converted = openvino.convert_model(folder)
    openvino.save_model(converted, str(path), compress_to_fp16=half)


def _to_litert(function, folder, path, half):
    converter = tf.lite.TFLiteConverter.from_saved_model(
        folder, signature_keys=["serving_default"]
    )
    if half:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    path.write_bytes(with_default_size(converter.convert()))


def with_default_size(content, size=DEFAULT_SIZE):
    """A LiteRT file whose input is an image of some size until it is resized.

    The converter writes 1 for what is not known, and a program that does not resize
    would get one pixel.

    Args:
        content: bytes of the file.
        size: height and width where the file takes any.

    Returns:
        bytes.
    """
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    graph = model.subgraphs[0]
    for index in graph.inputs:
        tensor = graph.tensors[index]
        if tensor.shapeSignature is not None:
            known = zip(tensor.shapeSignature, (1, *size, None))
            tensor.shape = [int(n if n > 0 else default) for n, default in known]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


CONVERTERS = {"onnx": _to_onnx, "openvino": _to_openvino, "litert": _to_litert}
