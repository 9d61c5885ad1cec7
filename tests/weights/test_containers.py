"""Wrappers that trainings put around weights: taken off, said, and never run.

`tests/files/torch_lightning.pth` was written by PyTorch 2.13: a state dict of three
tensors beside options of a training, a lone tensor, an optimizer and a device.
"""

import json
import logging
import pathlib
import pickle
import shutil

import numpy as np
import pytest

from kerasseg import weights
from kerasseg.weights import WeightsError
from tests.weights.test_torch_files import Attack, tensor_pickle, torch_zip

FILES = pathlib.Path(__file__).parents[1] / "files"
RAW = [("0", np.float32([1, 2, 3, 4]).tobytes())]


def test_the_state_dict_of_a_training_is_found(tmp_path, caplog):
    path = shutil.copy(FILES / "torch_lightning.pth", tmp_path / "last.ckpt")
    arrays = weights.read(path)
    np.testing.assert_array_equal(arrays["a.weight"], np.arange(6).reshape(2, 3))
    assert list(arrays) == ["a.weight", "b.bias"]
    assert "not run: '__builtin__.set', 'argparse.Namespace', 'numpy" in caplog.text
    assert "left out, beside the model: 'mean'" in caplog.text


def opaque(ends):
    """A pickle of {"w": tensor, "x": ends}."""
    tensor = tensor_pickle(shape=(4,), strides=(1,))
    return tensor[:-1] + b"X\x01\0\0\0x" + ends + b"s."


@pytest.mark.parametrize(
    "ends",
    [
        b"cposix\nsystem\nX\x05\0\0\0false\x85R",  # a call
        b"cos\nsystem\n)\x81}b",  # an object, and its state
        b"cos\nsystem\n)}\x92",  # an object of keywords
        b"cbuiltins\neval\n",
        b"cbuiltins\neval\n)R(K\x01K\x02u",  # items
        b"cbuiltins\nlist\n)R(K\x01e",
        b"\x8f(K\x01\x90",  # a set
        b"(K\x01\x91",  # a frozen one
    ],
)
def test_objects_beside_tensors_are_skipped_and_not_run(tmp_path, ends, caplog):
    path = torch_zip(tmp_path / "a.pth", opaque(ends), RAW)
    assert list(weights.read(path)) == ["w"]
    assert "skipped, and not run" in caplog.text


@pytest.mark.parametrize(
    "ends",
    [
        b"(cos\nsystem\nX\x05\0\0\0falseo",  # OBJ
        b"(X\x05\0\0\0falseios\nsystem\n",  # INST
        b"\x82\x01",  # EXT1
        b"X\x01\0\0\0a)R",  # a call of a text
        b"X\x01\0\0\0a)\x81",
    ],
)
def test_other_ways_to_make_objects_are_refused(tmp_path, ends):
    path = torch_zip(tmp_path / "a.pth", opaque(ends), RAW)
    with pytest.raises(WeightsError, match=r"a\.pth"):
        weights.read(path)


def test_commands_hidden_in_a_training_never_run(tmp_path):
    proof = tmp_path / "proof"
    tree = {"state_dict": {}, "args": [Attack(f"touch {proof}")]}
    path = torch_zip(tmp_path / "a.ckpt", pickle.dumps(tree, 2))
    with pytest.raises(WeightsError, match=r"refused to use 'posix\.system'"):
        weights.read(path)
    assert not proof.exists()


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.module.", "model.net."])
def test_prefixes_of_all_names_are_taken_off(tmp_path, prefix):
    from kerasseg.weights.prefixes import without_prefixes

    names = ["encoder.conv1.weight", "head.bias"]
    found = without_prefixes({prefix + name: 0 for name in names}, "a.pth")
    assert list(found) == names
    some = {prefix + names[0]: 0, names[1]: 0}
    assert without_prefixes(some, "a.pth") == some


def safetensors(path, arrays):
    header, data = {}, b""
    for name, array in arrays.items():
        raw = array.astype("<f4").tobytes()
        place = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": "F32", "shape": array.shape, "data_offsets": place}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


@pytest.fixture
def shards(tmp_path):
    """An index of two files, and a function that writes another index."""
    safetensors(tmp_path / "a.safetensors", {"b.x": np.ones(2)})
    safetensors(tmp_path / "b.safetensors", {"a.x": np.zeros(3), "a.y": np.ones(1)})
    path = tmp_path / "model.safetensors.index.json"

    def write(places):
        path.write_text(json.dumps({"metadata": {}, "weight_map": places}))
        return path

    return write


PLACES = {"a.x": "b.safetensors", "b.x": "a.safetensors", "a.y": "b.safetensors"}


def test_a_model_in_several_files_is_read_by_its_index(shards):
    arrays = weights.read(shards(PLACES))
    assert {name: x.shape for name, x in arrays.items()} == {
        "a.x": (3,),
        "b.x": (2,),
        "a.y": (1,),
    }


@pytest.mark.parametrize(
    "places",
    [
        {**PLACES, "b.x": "../a.safetensors"},
        {**PLACES, "b.x": "/etc/passwd"},
        {**PLACES, "b.x": "c.safetensors"},
        {**PLACES, "b.x": 3},
        {**PLACES, "c.x": "a.safetensors"},
        {"a.x": "b.safetensors"},
        {},
        [],
    ],
)
def test_an_index_that_names_other_things_is_refused(shards, places):
    with pytest.raises(WeightsError, match=r"index\.json"):
        weights.read(shards(places))


def test_parts_of_a_model_together_keep_to_the_limit(shards):
    with pytest.raises(WeightsError, match="at most"):
        weights.read(shards(PLACES), max_bytes=16)


def test_a_file_without_the_model_says_what_it_holds(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    path = torch_zip(tmp_path / "a.pth", pickle.dumps({"epoch": 3}, 2))
    with pytest.raises(WeightsError, match="Received: 'epoch'"):
        weights.read(path)
    assert not caplog.text
