"""Checkpoints of PyTorch: read without torch, and nothing in them runs.

`tests/files/torch_zip.pth` and `torch_legacy.pth` were written by PyTorch 2.13:
`torch.save({"epoch": 3, "state_dict": {"module.whole.weight": ...}}, path)`.
"""

import logging
import pathlib
import pickle
import shutil
import zipfile

import numpy as np
import pytest

from kerasseg import weights
from kerasseg.weights import WeightsError
from tests.weights.written import tensor_pickle, torch_zip

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


def test_the_state_dict_of_a_training_is_found(tmp_path, caplog):
    path = shutil.copy(FILES / "torch_lightning.pth", tmp_path / "last.ckpt")
    arrays = weights.read(path)
    np.testing.assert_array_equal(arrays["a.weight"], np.arange(6).reshape(2, 3))
    assert list(arrays) == ["a.weight", "b.bias"]
    assert "not run: '__builtin__.set', 'argparse.Namespace', 'numpy" in caplog.text
    assert "left out, beside the model: 'mean'" in caplog.text


def test_a_file_without_the_model_says_what_it_holds(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    path = torch_zip(tmp_path / "a.pth", pickle.dumps({"epoch": 3}, 2))
    with pytest.raises(WeightsError, match="Received: 'epoch'"):
        weights.read(path)
    assert not caplog.text
