"""Weight files: right numbers from good ones, one typed error from bad ones."""

import json
import pickle
import struct
import zipfile

import h5py
import numpy as np
import pytest

from kerasseg import weights
from kerasseg.weights import WeightsError
from tests.weights.test_torch_files import Attack


def safetensors(path, header, data):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_safetensors_are_read_and_bfloat16_becomes_float32(tmp_path):
    # bfloat16 is the upper half of float32: 1.5 = 0x3fc0, -2 = 0xc000
    data = np.uint16([0x3FC0, 0xC000]).tobytes() + np.int64([7]).tobytes()
    header = {
        "__metadata__": {"format": "pt"},
        "b": entry("I64", [1], 4, 12),
        "a": entry("BF16", [1, 2], 0, 4),
    }
    arrays = weights.read(safetensors(tmp_path / "a.safetensors", header, data))
    assert arrays["a"].dtype == "float32" and arrays["b"].dtype == "int64"
    np.testing.assert_array_equal(arrays["a"], [[1.5, -2.0]])
    np.testing.assert_array_equal(arrays["b"], [7])


@pytest.mark.parametrize(
    "header",
    [
        {"a": entry("F32", [2], 0, 4)},  # shape needs 8 bytes
        {"a": entry("F32", [2], 0, 8), "b": entry("F32", [2], 4, 12)},  # overlap
        {"a": entry("F32", [2], 4, 12)},  # hole
        {"a": entry("F32", [2], 0, 8)},  # bytes left over
        {"a": entry("F32", [2**40], 0, 2**42)},  # beyond the file
        {"a": entry("F32", [-3, -1], 0, 12)},
        {"a": entry("F32", [True, 3], 0, 12)},
        {"a": entry("OBJECT", [3], 0, 12)},
        {"a": {"dtype": "F32"}},
        [1, 2],
        b'{"a": 1, "a": 2}',
        b"[" * 10**5,
    ],
)
def test_a_false_safetensors_header_is_refused(tmp_path, header):
    path = safetensors(tmp_path / "bad.safetensors", header, bytes(12))
    with pytest.raises(WeightsError, match=r"bad\.safetensors"):
        weights.read(path)


def test_a_safetensors_header_longer_than_the_file_is_refused(tmp_path):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(struct.pack("<Q", 2**63) + b"{}")
    with pytest.raises(WeightsError, match="header claims"):
        weights.read(path)


def test_npz_gives_back_what_numpy_saved(tmp_path, rng):
    saved = {"a/kernel": rng.normal(size=(3, 2)).T, "b": np.int32(5)}
    np.savez_compressed(tmp_path / "a.npz", **saved)
    arrays = weights.read(tmp_path / "a.npz")
    assert arrays.keys() == saved.keys()
    np.testing.assert_array_equal(arrays["a/kernel"], saved["a/kernel"])
    np.testing.assert_array_equal(arrays["b"], 5)


def test_npz_with_pickled_objects_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", w=np.array([Attack("false")], dtype=object))
    with pytest.raises(WeightsError, match=r"a\.npz.*'w' of dtype object"):
        weights.read(tmp_path / "a.npz")


def test_npz_whose_header_claims_more_than_it_has_is_refused(tmp_path):
    head = {"descr": "<f4", "fortran_order": False, "shape": (2**40,)}
    with (
        zipfile.ZipFile(tmp_path / "a.npz", "w") as archive,
        archive.open("w.npy", "w") as file,
    ):
        np.lib.format.write_array_header_1_0(file, head)
        file.write(bytes(16))
    with pytest.raises(
        WeightsError, match=r"'w' of shape .* needs 4398046511104 bytes"
    ):
        weights.read(tmp_path / "a.npz")


def test_files_beyond_the_memory_limit_are_refused(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", w=np.zeros(10**6, "float32"))
    with pytest.raises(WeightsError, match="1000000 bytes"):
        weights.read(tmp_path / "a.npz", max_bytes=10**6)


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_weights_that_are_not_finite_are_refused_by_key(tmp_path, value):
    np.savez(tmp_path / "a.npz", good=np.ones(2), bad=np.array([1, value]))
    with pytest.raises(WeightsError, match=r"NaN or Inf in 'bad'\."):
        weights.read(tmp_path / "a.npz")
    assert len(weights.read(tmp_path / "a.npz", finite=False)) == 2


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
