"""Archives: bounded in time and memory, whatever they claim."""

import pathlib
import struct
import zipfile

import h5py
import numpy as np
import pytest

from kerasseg import weights
from kerasseg.weights import WeightsError
from tests.memory import peak_bytes
from tests.weights.written import (
    MB,
    npz,
    refused,
    safetensors,
    tensor_pickle,
    torch_zip,
)

LIMIT = 64 * MB


@pytest.mark.parametrize("name", ["a\0.npz", "\ud800.npz", "x" * 300 + ".pth", ".npz"])
def test_names_that_no_file_can_have_are_refused(name):
    refused(name)


def full_header(path):
    """Header of a file that is nothing but header, as large as is read."""
    entries = b'"a":[' + b"[]," * (LIMIT // 32 // 3 - 9) + b"[]]"
    safetensors(path, b"{" + entries + b"}")


def full_npz(path, dtype="float32", order="C"):
    side = int((LIMIT * 0.9 / np.dtype(dtype).itemsize) ** 0.5)
    np.savez(path, a=np.ones([side, side], dtype, order=order))


def full_bfloat16(path):
    raw = bytes(LIMIT // 2 - 4096)
    entry = {"dtype": "BF16", "shape": [len(raw) // 2], "data_offsets": [0, len(raw)]}
    safetensors(path, {"a": entry})
    with open(path, "ab") as file:
        file.write(raw)


def full_storage(path, name=b"torch FloatStorage", itemsize=4, share=0.9):
    num = int(LIMIT * share) // itemsize
    data = tensor_pickle(shape=(num,), strides=(1,), num=num, name=name)
    torch_zip(path, data, [("0", bytes(num * itemsize))])


def full_pickle(path):
    torch_zip(path, b"\x80\x02(" + b"}" * (LIMIT // 2) + b"l.")


def full_directory(path):
    """A zip that is nothing but a directory of as many empty members as fit."""
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(60_000):
            archive.writestr(f"{number}", b"")


@pytest.mark.parametrize(
    "name, write, options",
    [
        ("header.safetensors", full_header, {}),
        ("bfloat16.safetensors", full_bfloat16, {}),
        ("c.npz", full_npz, {}),
        ("float16.npz", full_npz, {"dtype": "float16"}),
        ("fortran.npz", full_npz, {"order": "F"}),
        ("swapped.npz", full_npz, {"dtype": ">f8"}),
        ("storage.pth", full_storage, {}),
        (
            "bfloat16.pth",
            full_storage,
            {"name": b"torch BFloat16Storage", "itemsize": 2, "share": 0.45},
        ),
        ("pickle.pth", full_pickle, {}),
        ("directory.pth", full_directory, {}),
        ("directory.npz", full_directory, {}),
    ],
)
def test_memory_stays_within_twice_the_limit(tmp_path, name, write, options):
    path = tmp_path / name
    write(path, **options)
    assert path.stat().st_size < LIMIT
    code = f"""
from kerasseg import weights
try:
    weights.read({str(path)!r}, max_bytes={LIMIT})
except weights.WeightsError as error:
    print(str(error)[-200:])
"""
    assert peak_bytes(code, "import kerasseg.weights, h5py") < 2 * LIMIT


def test_a_member_that_lies_about_its_size_unpacks_no_further(tmp_path):
    """100 bytes claimed, 100 MB packed."""
    path = npz(tmp_path / "a.npz", b"x" * 100, bytes(100 * MB), zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    for signature, at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        begin = data.index(signature) + at
        data[begin : begin + 4] = struct.pack("<I", 100)
    pathlib.Path(path).write_bytes(data)
    code = f"""
from kerasseg import weights
try:
    weights.read({str(path)!r})
except weights.WeightsError as error:
    print(str(error)[-200:])
"""
    assert peak_bytes(code, "import kerasseg.weights") < 20 * MB


def test_a_zip_gives_the_weights_in_it_and_nothing_else(tmp_path):
    path, inner = tmp_path / "a.zip", tmp_path / "weights_best.h5"
    with h5py.File(inner, "w") as file:
        file["conv2d/kernel"] = np.ones([2, 2], "float32")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(inner, "model/weights_best.h5")
        archive.writestr("../../escaped.h5", b"not this")
    np.testing.assert_array_equal(weights.read(path)["conv2d/kernel"], np.ones([2, 2]))
    assert sorted(x.name for x in tmp_path.iterdir()) == ["a.zip", "weights_best.h5"]
    with zipfile.ZipFile(path, "a") as archive:
        archive.write(inner, "other/weights_best.h5")
    refused(path, r"must hold one weights_best\.h5. Received: 2")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other.h5", b"")
    refused(path, r"must hold weights_best\.h5")


def test_a_zip_that_unpacks_to_too_much_is_refused(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("weights_best.h5", bytes(LIMIT))
    with pytest.raises(WeightsError, match="unpacks to more than"):
        weights.read(path, max_bytes=LIMIT // 2)
