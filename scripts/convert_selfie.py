"""Put the weights of Google's selfie segmenter into the store of published weights.

    npm pack @mediapipe/selfie_segmentation@0.1.1675465747
    tar xzf mediapipe-selfie_segmentation-*.tgz
    python scripts/convert_selfie.py package/selfie_segmentation.tflite

Writes kerasseg/weights/store/people.npz, the numbers of that file as they are: float16.
"""

import argparse
import hashlib
import pathlib

import numpy as np
from publish import write
from tensorflow.lite.python import schema_py_generated as schema

from kerasseg import files, weights, zoo
from kerasseg.encoders.mobilenet_v3_selfie import TABLE
from kerasseg.weights import catalog

SHA256 = "8d13b7fae74af625c641226813616a2117bd6bca19eb3b75574621fc08557f27"
KERNELS = {
    schema.BuiltinOperator.CONV_2D: (1, 2, 3, 0),  # [k, k, in, out]
    schema.BuiltinOperator.DEPTHWISE_CONV_2D: (1, 2, 3, 0),  # [k, k, in, 1]
    schema.BuiltinOperator.CUSTOM: (1, 2, 0, 3),  # transposed: [k, k, out, in]
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("tflite")
    data = pathlib.Path(parser.parse_args().tflite).read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise SystemExit(f"The file must have the SHA-256 {SHA256}.")
    model = weights.load(zoo.selfie_segmenter(), arrays(data))
    path = catalog.STORE / "people.npz"
    files.replace(path, lambda part: write(model, part))
    print(path, hashlib.sha256(path.read_bytes()).hexdigest())


def arrays(data):
    """Kernels and biases of the file by our names."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
    graph = model.subgraphs[0]

    def code(operator):
        return model.operatorCodes[operator.opcodeIndex].deprecatedBuiltinCode

    # All numbers are stored as float16, in front of operators that widen them.
    stored = {
        operator.outputs[0]: graph.tensors[operator.inputs[0]]
        for operator in graph.operators
        if code(operator) == schema.BuiltinOperator.DEQUANTIZE
    }

    def read(tensor):
        content = model.buffers[stored[tensor].buffer].data.tobytes()
        return np.frombuffer(content, "<f2").reshape(stored[tensor].shape)

    found, operators = {}, [x for x in graph.operators if code(x) in KERNELS]
    for name, operator in zip(names(), operators, strict=True):
        _, kernel, bias = operator.inputs
        found[f"{name}/kernel"] = read(kernel).transpose(KERNELS[code(operator)])
        found[f"{name}/bias"] = read(bias)
    return found


def names():
    """Our names of its convolutions, in the order of its operators."""
    yield "stem_conv"
    for number, (*_, gated, _, _) in enumerate(TABLE, 1):
        gate = ["gate_1", "gate_2"] if gated else []
        for part in ["expand_conv", "depthwise_conv", *gate, "project_conv"]:
            yield f"block{number}_{part}"
    yield from ("context_conv", "context_gate")
    for level in (1, 2, 3):
        for part in ("reduce_conv", "gate_1", "gate_2", "conv", "refine_conv"):
            yield f"decoder{level}_{part}"
    yield "head"


if __name__ == "__main__":
    main()
