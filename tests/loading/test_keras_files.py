"""`.keras` files: those of kerasseg load, those that could do more are refused."""

import io
import json
import zipfile

import h5py
import keras
import numpy as np
import pytest

from kerasseg import detection, loading, weights, zoo
from tests.loading.test_saved_models import ONE_OF_EACH_TASK, build
from tests.memory import peak_bytes


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A U-Net, and the bytes of the members of its file."""
    model = zoo.unet(2, encoder="tiny", decoder_filters=[4] * 5)
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        return model, {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def write(saved, tmp_path):
    """Writer of a file like the saved one, with other members."""

    def write(changes, compression=zipfile.ZIP_STORED):
        path = tmp_path / "other.keras"
        with zipfile.ZipFile(path, "w", compression) as archive:
            for name, content in {**saved[1], **changes}.items():
                archive.writestr(name, content)
        return path

    return write


def config_with(saved, entry):
    """The configuration of the saved model with `entry` in place of a layer."""
    config = json.loads(saved[1]["config.json"])
    config["config"]["layers"][1].update(entry)
    return json.dumps(config)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in ONE_OF_EACH_TASK else pytest.mark.slow)
        for name in zoo.BUILDERS
    ],
)
def test_a_model_of_every_builder_loads(tmp_path, name):
    model = build(name)
    model.save(tmp_path / "model.keras")
    loaded = loading.load_keras(tmp_path / "model.keras")
    for ours, theirs in zip(loaded.weights, model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_model_of_many_layers_of_keras_loads(tmp_path, rng):
    layers = keras.layers
    inner_input = keras.Input((None, 8))
    inner = keras.Model(inner_input, layers.Dense(8)(inner_input), name="inner")
    x = inputs = keras.Input((16, 16, 3))
    for layer in (
        *(layers.RandomFlip(), layers.Rescaling(1 / 255), layers.Conv2D(8, 3)),
        *(layers.BatchNormalization(), layers.Activation("gelu"), layers.LeakyReLU()),
        *(
            layers.Reshape((-1, 8)),
            layers.Bidirectional(layers.LSTM(4)),
            layers.Dense(8),
        ),
        *(
            layers.RepeatVector(3),
            inner,
            layers.TimeDistributed(layers.Dense(8)),
            inner,
        ),
    ):
        x = layer(x)
    shared = layers.Dense(8, kernel_regularizer="l2", kernel_constraint="max_norm")
    x = keras.ops.concatenate([shared(x), shared(x) * 2, keras.ops.relu(x)[:, ::-1]])
    model = keras.Model(inputs, layers.Dropout(0.5, seed=3)(x))
    model.save(tmp_path / "model.keras")
    image = rng.uniform(0, 255, [1, 16, 16, 3]).astype("float32")
    loaded = loading.load_keras(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(image), model(image), rtol=1e-5, atol=1e-6)


def test_a_model_of_the_zoo_loads_with_its_weights(saved, write, rng):
    model, _ = saved
    image = rng.uniform(0, 255, [1, 32, 48, 3]).astype("float32")
    loaded = loading.load_keras(write({}))
    np.testing.assert_array_equal(loaded(image), model(image))


def test_a_compiled_model_loads_without_what_it_was_compiled_with(tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile("adam", "mse")
    model.save(tmp_path / "model.keras")
    assert not loading.load_keras(tmp_path / "model.keras").compiled


@pytest.mark.parametrize(
    "entry, found",
    [
        ({"module": "keras.layers", "class_name": "Lambda"}, "Lambda"),
        ({"module": "os", "class_name": "system"}, "module 'os'"),
        ({"module": "keras.utils", "class_name": "get_file"}, "get_file"),
        ({"module": "keras.layersx", "class_name": "Dense"}, "keras.layersx"),
        ({"module": "keras.layers", "class_name": "TFSMLayer"}, "TFSMLayer"),
        ({"module": "keras.layers", "class_name": "StringLookup"}, "StringLookup"),
        ({"module": "builtins", "class_name": "eval"}, "eval"),
        ({"module": None, "class_name": "x", "registered_name": "mine>x"}, "'x'"),
        (
            {"module": "os", "class_name": "x", "registered_name": "kerasseg>x"},
            "'x' of module 'os'",
        ),
        (
            {
                "module": "os",
                "class_name": "system",
                "registered_name": "kerasseg>ResizeLike",
            },
            "'system' of module 'os'",
        ),
        ({"module": "keras.layers", "class_name": "Dense\0"}, "class"),
        ({"module": ["keras"] * 10**5, "class_name": "Dense"}, "class 'Dense'"),
        ({"module": "keras.layers", "class_name": "get"}, "class 'get'"),
        ({"module": "keras.losses", "class_name": "Dice"}, "keras.losses"),
        ({"module": "kerasseg.losses", "class_name": "Dice"}, "kerasseg.losses"),
        (
            {
                "module": "kerasseg.losses.overlap",
                "class_name": "Dice",
                "registered_name": "kerasseg>Dice",
            },
            "class 'Dice'",
        ),
        ({"module": "keras.src.saving.saving_lib", "class_name": "load_model"}, "load"),
        ({"module": None, "class_name": "__typespec__"}, "__typespec__"),
        ({"module": None, "class_name": "__lambda__"}, "__lambda__"),
    ],
)
def test_a_configuration_that_names_other_code_is_refused(saved, write, entry, found):
    path = write(
        {"config.json": config_with(saved, {"registered_name": None, **entry})}
    )
    with pytest.raises(loading.ModelFileError, match=found):
        loading.load_keras(path)


@pytest.mark.parametrize(
    "call",
    [
        {"module": "keras.ops", "class_name": "function", "config": "relu"},
        {"module": "builtins", "class_name": "function", "config": "get_file"},
        {"module": "builtins", "class_name": "function", "config": "deserialize"},
        {
            "module": "keras.utils",
            "class_name": "function",
            "config": "get_file",
            "registered_name": "kerasseg>ResizeLike",
        },
    ],
)
def test_a_function_that_is_no_activation_is_refused(saved, write, call):
    path = write({"config.json": config_with(saved, {"config": {"activation": call}})})
    with pytest.raises(loading.ModelFileError, match="class 'function' of module"):
        loading.load_keras(path)


def test_functions_that_the_program_registered_are_not_called(saved, write):
    @keras.saving.register_keras_serializable("mine")
    def delete_all(x):
        raise AssertionError

    text = config_with(saved, {"config": {"activation": "mine>delete_all"}})
    with pytest.raises(loading.ModelFileError, match="this program registered"):
        loading.load_keras(write({"config.json": text}))
    del keras.saving.get_custom_objects()["mine>delete_all"]


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


@pytest.mark.parametrize(
    "entry",
    [
        {"kernel_initializer": {"value": "x"}},
        {"filters": 10**4000},
        {"filters": -1},
        {"filters": float("nan")},
        {"name": "a\0b"},
        {"name": "a/b"},
        {"name": "\ud800"},
        {"dtype": "x" * 10**6},
    ],
)
def test_false_options_of_layers_are_typed_errors(saved, write, entry):
    config = json.loads(saved[1]["config.json"])
    layers = config["config"]["layers"]
    conv = next(layer for layer in layers if layer["class_name"] == "Conv2D")
    value = entry.get("kernel_initializer")
    if value:
        made = {"module": "keras.initializers", "class_name": "Constant"}
        entry = {"kernel_initializer": {**made, "config": value}}
    conv["config"].update(entry)
    with pytest.raises((loading.ModelFileError, weights.WeightsError)) as info:
        loading.load_keras(write({"config.json": json.dumps(config)}))
    assert len(str(info.value)) < 3000
    str(info.value).encode()
    assert keras.Variable(0.0, name="after").path == "after"


@pytest.mark.parametrize("name", ["../evil.py", "/tmp/evil.py", "assets/words.txt"])
def test_other_members_are_refused(write, name):
    with pytest.raises(loading.ModelFileError, match="and nothing else"):
        loading.load_keras(write({name: b"x"}))


def test_a_member_that_unpacks_to_too_much_is_refused(write):
    bomb = write({"config.json": b" " * 60_000_000}, zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 1_000_000
    with pytest.raises(loading.ModelFileError, match="unpacks to 60000000 bytes"):
        loading.load_keras(bomb)


def test_weights_that_link_to_other_files_are_refused(write):
    file = io.BytesIO()
    with h5py.File(file, "w") as group:
        group["layers"] = h5py.ExternalLink("/etc/passwd", "/x")
    with pytest.raises(weights.WeightsError, match=r"other\.keras: its weights: links"):
        loading.load_keras(write({"model.weights.h5": file.getvalue()}))


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b"{", b"\xff", b"[]", b"5", b"9" * 5000]
)
def test_a_damaged_configuration_is_refused(write, content):
    with pytest.raises(loading.ModelFileError, match="not a readable"):
        loading.load_keras(write({"config.json": content}))


def test_a_file_that_is_no_zip_is_refused(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"no zip")
    with pytest.raises(loading.ModelFileError, match="BadZipFile"):
        loading.load_keras(path)
    with pytest.raises(loading.ModelFileError, match="no such file"):
        loading.load_keras(tmp_path / "absent.keras")
