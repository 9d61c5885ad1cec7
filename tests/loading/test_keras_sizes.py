"""Sizes that a configuration asks for, against what its file stores."""

import json

import keras
import pytest

from kerasseg import detection
from tests.memory import peak_bytes


def sequential(*layers, size=4):
    """Configuration of layers (class name, options) on an input of that many values."""
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": {
            "name": "model",
            "layers": [
                {
                    "module": "keras.layers",
                    "class_name": name,
                    "config": {"name": f"layer{i}", **options},
                }
                for i, (name, options) in enumerate(
                    [("InputLayer", {"batch_shape": [None, size]}), *layers]
                )
            ],
        },
        "build_config": {"input_shape": [None, size]},
    }


def eager_operation(name, **arguments):
    """A model with an operation that is called on numbers: it runs when it is built."""
    x = keras.Input((4,), name="x")
    config = keras.saving.serialize_keras_object(keras.Model(x, keras.ops.relu(x)))
    layer = {
        "module": "keras.src.ops.numpy",
        "class_name": name,
        "config": {"name": "layer"},
        "name": "layer",
        "inbound_nodes": [{"args": [], "kwargs": arguments}],
    }
    config["config"]["layers"].append(layer)
    return config


def laughs(levels, calls=10):
    """A model that calls a model ten times that calls a model ten times that ..."""
    x = keras.Input((2,))
    model = keras.Model(x, keras.layers.Activation("relu")(x), name="m")
    config = keras.saving.serialize_keras_object(model)
    for _ in range(levels):
        y = keras.Input((2,))
        z, inner = y, keras.Model(x, keras.ops.relu(x), name="m")
        for _ in range(calls):
            z = inner(z)
        outer = keras.saving.serialize_keras_object(keras.Model(y, z, name="m"))
        layers = outer["config"]["layers"]
        place = next(i for i, one in enumerate(layers) if one["name"] == "m")
        layers[place]["config"] = config["config"]
        config = outer
    return config


CELL = {"module": "keras.layers", "class_name": "GRUCell", "config": {"units": 1}}


GREEDY = {
    "units": lambda: sequential(("Dense", {"units": 3 * 10**8})),
    "units_in_two": lambda: sequential(
        ("Dense", {"units": 40_000}), ("Dense", {"units": 40_000})
    ),
    "embedding": lambda: sequential(
        ("Embedding", {"input_dim": 10**7, "output_dim": 10**3})
    ),
    "lora": lambda: sequential(("Dense", {"units": 4, "lora_rank": 10**7})),
    "normalization": lambda: sequential(
        ("Reshape", {"target_shape": [1, 4]}),
        ("UpSampling1D", {"size": 10**7}),
        ("Normalization", {"axis": [1, 2], "mean": 0.0, "variance": 1.0}),
    ),
    "orthogonal": lambda: sequential(
        ("Dense", {"units": 10**7, "kernel_initializer": "orthogonal"})
    ),
    "unrolled": lambda: sequential(
        ("Reshape", {"target_shape": [4, 1]}),
        ("UpSampling1D", {"size": 10**6}),
        ("SimpleRNN", {"units": 1, "unroll": True}),
    ),
    "unbuilt": lambda: sequential() | {"build_config": {"input_shape": [1, 10**10]}},
    "rounds": lambda: sequential(("RandAugment", {"num_ops": 10**6})),
    "arange": lambda: eager_operation("Arange", start=0, stop=1, step=1e-10),
    "zeros": lambda: eager_operation("Zeros", shape=[10**5, 10**5]),
    "laughs": lambda: laughs(9),
    "cells": lambda: sequential(
        ("Reshape", {"target_shape": [2, 2]}), ("RNN", {"cell": [CELL] * 10_001})
    ),
}


@pytest.mark.slow
def test_configurations_that_ask_for_more_than_is_stored_are_refused(write, tmp_path):
    """In a process whose memory ends 1 GB above what TensorFlow took."""
    for kind, config in GREEDY.items():
        path = write({"config.json": json.dumps(config())})
        assert path.stat().st_size < 2 * 10**6
        path.rename(tmp_path / f"{kind}.keras")
    setup = "import keras, kerasseg.zoo, tensorflow; keras.ops.ones(1)"
    code = f"""
from kerasseg import loading, weights
for kind in {list(GREEDY)}:
    try:
        loading.load_keras({str(tmp_path)!r} + f"/{{kind}}.keras")
        raise SystemExit(kind + " loaded")
    except (loading.ModelFileError, weights.WeightsError) as error:
        assert len(str(error)) < 3000
        print(kind, str(error)[-150:])
"""
    assert peak_bytes(code, setup, most=2**30) < 400 * 10**6


def test_too_many_anchors_are_refused():
    with pytest.raises(ValueError, match="anchors are made"):
        detection.anchors.anchors([(10**5, 10**5)], [4], scales=[8])
