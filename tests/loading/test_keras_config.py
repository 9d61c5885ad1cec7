"""Configurations of Keras models: what they may name, and nothing is called."""

import json

import keras
import pytest

from kerasseg import loading, weights


def config_with(saved, entry):
    """The configuration of the saved model with `entry` in place of a layer."""
    config = json.loads(saved[1]["config.json"])
    config["config"]["layers"][1].update(entry)
    return json.dumps(config)


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
