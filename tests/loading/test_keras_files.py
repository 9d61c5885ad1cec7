"""`.keras` files: those of kerasseg load, those that could do more are refused."""

import io
import json
import zipfile

import h5py
import keras
import numpy as np
import pytest

from kerasseg import loading, weights, zoo


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
    ],
)
def test_a_configuration_that_names_other_code_is_refused(saved, write, entry, found):
    path = write(
        {"config.json": config_with(saved, {"registered_name": None, **entry})}
    )
    with pytest.raises(loading.ModelFileError, match=found):
        loading.load_keras(path)


def test_a_function_that_is_no_activation_is_refused(saved, write):
    call = {"module": "keras.ops", "class_name": "function", "config": "relu"}
    path = write({"config.json": config_with(saved, {"config": {"activation": call}})})
    with pytest.raises(loading.ModelFileError, match="class 'function' of module"):
        loading.load_keras(path)


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


@pytest.mark.parametrize("content", [b"[" * 100_000, b"{", b"\xff", b"[]"])
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
