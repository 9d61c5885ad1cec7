"""Checkpoints of PyTorch: read without torch, and nothing in them runs.

`tests/files/torch_zip.pth` and `torch_legacy.pth` were written by PyTorch 2.13:
`torch.save({"epoch": 3, "state_dict": {"module.whole.weight": ...}}, path)`.
"""

import os
import pathlib
import pickle
import struct
import zipfile

import numpy as np
import pytest

from kerasseg import weights
from kerasseg.weights import WeightsError

FILES = pathlib.Path(__file__).parents[1] / "files"
BASE = np.arange(24, dtype="float32").reshape(4, 6)


@pytest.mark.parametrize("name", ["torch_zip.pth", "torch_legacy.pth"])
def test_a_torch_file_gives_the_tensors_that_torch_saved(name):
    arrays = weights.read(FILES / name)
    expected = {
        "whole.weight": BASE,
        "tied.weight": BASE,
        "view.weight": BASE[1:3, 2:5].T,
        "bfloat.weight": np.float32([[1.5, -2.0, 2.9908e38]]),  # 3e38 in 8 bits
        "half.bias": np.float16([0.5, 65504]),
        "param.bias": np.float32([1, 2]),
        "norm.num_batches_tracked": np.int64(7),
        "last.weight": np.arange(24, dtype="float32").reshape(1, 2, 3, 4),
    }
    assert list(arrays) == list(expected)
    for key, value in expected.items():
        assert arrays[key].dtype == value.dtype
        np.testing.assert_allclose(arrays[key], value, rtol=5e-3 * ("bf" in key))


class Attack:
    """Runs a command when it is unpickled by Python."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def torch_zip(path, data, storages=(), compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", data)
        for key, raw in storages:
            archive.writestr(f"archive/data/{key}", raw)
    return path


@pytest.mark.parametrize("form", ["zip", "bare"])
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_pickle_that_runs_a_command_is_refused_by_name(tmp_path, form, protocol):
    path, proof = tmp_path / "bad.pth", tmp_path / "proof"
    data = pickle.dumps({"w": Attack(f"touch {proof}")}, protocol)
    torch_zip(path, data) if form == "zip" else path.write_bytes(data)
    with pytest.raises(WeightsError, match=r"bad\.pth.*refused.*posix\.system") as info:
        weights.read(path)
    assert not proof.exists()
    assert info.value.path == str(path)


def tensor_pickle(shape, strides, offset=0, num=4, name=b"torch FloatStorage"):
    """Pickle of {"w": tensor} on storage "0", written by hand."""

    def number(value):
        return b"\x8a\x08" + struct.pack("<q", value)  # LONG1

    def numbers(values):
        return b"(" + b"".join(map(number, values)) + b"t"

    def text(value):
        return b"X" + struct.pack("<I", len(value)) + value

    storage = b"(" + text(b"storage") + b"c" + name.replace(b" ", b"\n") + b"\n"
    storage += text(b"0") + text(b"cpu") + number(num) + b"tQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n("
    tensor += storage + number(offset) + numbers(shape) + numbers(strides)
    tensor += b"\x89}tR"  # False, {}, call
    return b"\x80\x02}" + text(b"w") + tensor + b"s."


def test_a_tensor_written_by_hand_is_read(tmp_path):
    raw = np.float32([1, 2, 3, 4]).tobytes()
    data = tensor_pickle(shape=(2, 2), strides=(1, 2))
    path = torch_zip(tmp_path / "hand.pth", data, [("0", raw)])
    np.testing.assert_array_equal(weights.read(path)["w"], [[1, 3], [2, 4]])


@pytest.mark.parametrize(
    "arguments",
    [
        {"shape": (5,), "strides": (1,)},
        {"shape": (2, 2), "strides": (3, 1)},
        {"shape": (2,), "strides": (1,), "offset": 3},
        {"shape": (2**40,), "strides": (0,)},
        {"shape": (1000,), "strides": (0,), "num": 1000},
        {"shape": (-1,), "strides": (1,)},
        {"shape": (1,), "strides": (1,), "name": b"torch load"},
    ],
)
def test_a_tensor_larger_than_its_storage_is_refused(tmp_path, arguments):
    raw = np.zeros(4, "float32").tobytes()
    path = torch_zip(tmp_path / "bad.pth", tensor_pickle(**arguments), [("0", raw)])
    with pytest.raises(WeightsError, match=r"bad\.pth"):
        weights.read(path)


def test_an_archive_that_unpacks_to_more_than_itself_is_refused(tmp_path):
    data = tensor_pickle(shape=(4,), strides=(1,))
    bomb = [("0", bytes(10**6))]
    path = torch_zip(tmp_path / "bomb.pth", data, bomb, zipfile.ZIP_DEFLATED)
    with pytest.raises(WeightsError, match="uncompressed"):
        weights.read(path)


@pytest.mark.parametrize("name", ["torch_zip.pth", "torch_legacy.pth"])
def test_every_cut_of_a_torch_file_is_a_typed_error(tmp_path, name):
    whole = (FILES / name).read_bytes()
    path = tmp_path / "cut.pth"
    for length in range(0, len(whole) - 1, 41):
        path.write_bytes(whole[:length])
        with pytest.raises(WeightsError):
            weights.read(path)
