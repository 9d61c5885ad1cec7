"""Weight files: right numbers from good ones, one typed error from bad ones."""

import json
import pickle

import h5py
import numpy as np
import pytest

from kerasseg import weights
from kerasseg.weights import WeightsError
from tests.weights.written import safetensors_of


def test_files_beyond_the_memory_limit_are_refused(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", w=np.zeros(10**6, "float32"))
    with pytest.raises(WeightsError, match="1000000 bytes"):
        weights.read(tmp_path / "a.npz", max_bytes=10**6)


def link(file):
    file["layers/w"] = h5py.ExternalLink("other.h5", "secret")


def soft_link(file):
    file["layers/w"] = h5py.SoftLink("/nowhere")


def external_data(file):
    file.create_dataset("w", (4,), "f4", external=[("other.bin", 0, 16)])


def oversize(file):
    file.create_dataset("w", (2**40,), "f4")


def loop(file):
    file.create_group("a")["b"] = file["/"]


@pytest.mark.parametrize("build", [link, soft_link, external_data, oversize, loop])
def test_an_h5_file_that_points_elsewhere_or_claims_too_much_is_refused(
    tmp_path, build
):
    with h5py.File(tmp_path / "a.weights.h5", "w") as file:
        build(file)
    with pytest.raises(WeightsError, match=r"a\.weights\.h5"):
        weights.read(tmp_path / "a.weights.h5")


def test_missing_and_unknown_files_are_named(tmp_path):
    with pytest.raises(WeightsError, match=r"none\.npz: there is no such"):
        weights.read(tmp_path / "none.npz")
    with pytest.raises(WeightsError, match=r"\.npz, \.safetensors.*'\.onnx'"):
        weights.read("model.onnx")


def test_the_error_survives_pickling():
    error = pickle.loads(pickle.dumps(WeightsError("broken.", "a.npz")))
    assert (str(error), error.path) == ("a.npz: broken.", "a.npz")


@pytest.fixture
def shards(tmp_path):
    """An index of two files, and a function that writes another index."""
    safetensors_of(tmp_path / "a.safetensors", {"b.x": np.ones(2)})
    safetensors_of(tmp_path / "b.safetensors", {"a.x": np.zeros(3), "a.y": np.ones(1)})
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
