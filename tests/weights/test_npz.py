"""NumPy's archives: read as data, within their limits."""

import lzma
import zipfile

import numpy as np
import pytest

from kerasseg import weights
from kerasseg.weights import WeightsError
from kerasseg.weights.npz import read_npz, write_half
from tests.weights.written import MB, Attack, npz, refused


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


@pytest.mark.parametrize(
    "header",
    [
        b"(" * 9000,  # tokenize.TokenError in numpy's own reader
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (3L,)}",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (" + b"9" * 5000 + b",)}",
        b"'\\q' '\xff'",
        {"descr": "<f4", "fortran_order": False, "shape": (10**4000,)},
        {"descr": "<f4", "fortran_order": False, "shape": (2**61,) * 900},
        {"descr": "<f4", "fortran_order": False, "shape": (True,)},
        {"descr": "<f4", "fortran_order": 2, "shape": (1,)},
        {"descr": [("a", "<f4")], "fortran_order": False, "shape": (1,)},
        {"descr": ",".join(["f4"] * 2000), "fortran_order": False, "shape": (1,)},
        {"descr": "<f4"},
    ],
)
def test_false_headers_of_npz_are_refused(tmp_path, header):
    refused(npz(tmp_path / "a.npz", header, bytes(4)))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unpack_without_bound_are_refused(tmp_path, method):
    head = {"descr": "|u1", "fortran_order": False, "shape": (MB,)}
    refused(npz(tmp_path / "a.npz", head, bytes(MB), method), "stored or deflated")
    assert issubclass(lzma.LZMAError, Exception)


def test_what_float16_cannot_hold_is_written_as_it_is(tmp_path):
    arrays = {
        "kernel": np.float32([0.5, -3.0]),
        "large": np.float32([1e5]),
    }
    with np.errstate(over="ignore"):
        kept = write_half(arrays, tmp_path / "a.npz")
    assert kept == {"large": 1}
    found = read_npz(tmp_path / "a.npz", 1000)
    assert {name: x.dtype.name for name, x in found.items()} == {
        "kernel": "float16",
        "large": "float32",
    }
    for name, exact in arrays.items():
        np.testing.assert_array_equal(found[name], exact)
