"""Constants that are computed while a function is loaded: few, or refused."""

import pytest
import tensorflow as tf
from tensorflow.core.framework import function_pb2

from kerasseg import loading
from kerasseg.loading import folding


def function(*operations):
    """Of (operation, inputs, attributes) after the constants that numbers stand for."""
    body = function_pb2.FunctionDef()
    body.signature.name = "body"
    for i, (name, inputs, attributes) in enumerate(operations):
        made = []
        for j, value in enumerate(inputs):
            if isinstance(value, str):
                made.append(value)
                continue
            tensor = tf.make_tensor_proto(value)
            constant = body.node_def.add(name=f"c{i}_{j}", op="Const")
            constant.attr["value"].tensor.CopyFrom(tensor)
            constant.attr["dtype"].type = tensor.dtype
            made.append(f"c{i}_{j}:output:0")
        node = body.node_def.add(name=f"n{i}", op=name, input=made)
        for key, value in attributes.items():
            if isinstance(value, tf.DType):
                node.attr[key].type = value.as_datatype_enum
            else:
                node.attr[key].i = value
    return body


INT = {"Tidx": tf.int32}
DOUBLES = ("Pack", {"T": tf.int32, "N": 2})
GREEDY = {
    "range": [("Range", [0, 2**30, 1], INT)],
    "fill": [("Fill", [[2**15, 2**15], 1], {"T": tf.int32, "index_type": tf.int32})],
    "doubling": [("Pack", [1, 1], {"T": tf.int32, "N": 2})]
    + [("Pack", [f"n{i}:output:0"] * 2, {"T": tf.int32, "N": 2}) for i in range(40)],
    "product": [
        ("Fill", [[4096, 4096], 1.0], {"T": tf.float32, "index_type": tf.int32}),
        ("MatMul", ["n0:output:0"] * 2, {"T": tf.float32}),
    ],
    "texts": [("StringJoin", ["a", "b"], {"N": 2})],
    "lists": [
        ("TensorListReserve", [[1], 2**30], {"element_dtype": tf.int32}),
        ("TensorListLength", ["n0:handle:0"], {}),
    ],
}
GREEDY["lists"][0][2]["shape_type"] = tf.int32


@pytest.mark.parametrize("name", GREEDY)
def test_what_would_take_much_memory_or_time_is_refused_before(name):
    body = function(*GREEDY[name])
    if name == "texts":  # whose constants are bytes, and no names of nodes
        body = function(("AsString", [5], {"T": tf.int32}))
    with pytest.raises(loading.ModelFileError, match="when it is loaded"):
        folding.check([body], "model")


def test_few_numbers_are_computed_as_tensorflow_would():
    folding.check(
        [
            function(
                ("Range", [0, 4, 1], INT),
                ("Split", [0, "n0:output:0"], {"T": tf.int32, "num_split": 2}),
                ("Range", [0, "n1:output:1", 1], INT),  # no scalar: it fails
                ("Range", ["n2:output:0", 2**30, 1], INT),  # never computed
                ("Mul", ["argument", "n1:output:1"], {"T": tf.int32}),
            )
        ],
        "model",
    )


def test_more_operations_than_a_model_has_are_refused():
    many = function(*[("Neg", [1], {"T": tf.int32})] * 1001)
    with pytest.raises(loading.ModelFileError, match="more than 1000"):
        folding.check([many], "model")
