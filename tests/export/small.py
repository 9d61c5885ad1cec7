"""A small model, and the packages that files of formats need."""

import importlib.util

import keras
import pytest

from kerasseg.layers import ResizeLike

NEEDED = {
    "onnx": ("onnx", "tf2onnx", "onnxruntime"),
    "openvino": ("openvino",),
    "litert": ("ai_edge_litert",),
}


def small_model():
    keras.utils.set_random_seed(0)
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, 2, "same")(image)
    return keras.Model(image, ResizeLike("nearest")([x, image]), name="small")


def needs(format):
    missing = [x for x in NEEDED[format] if importlib.util.find_spec(x) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")


every_format = pytest.mark.parametrize("format", list(NEEDED))
