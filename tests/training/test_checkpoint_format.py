"""One file that holds every variable bit by bit, or is refused."""

import json

import ml_dtypes
import numpy as np
import pytest

from kerasseg.training import checkpoints
from tests.training.saved import example, flip, values


def test_all_dtypes_come_back_bit_by_bit(tmp_path):
    saved, loaded = example(0.1), example(7.0)
    path = checkpoints.save(tmp_path, 12, saved, {"best": 0.1, "name": "é"})
    assert checkpoints.load(path, loaded) == (12, {"best": 0.1, "name": "é"})
    for name, value in values(saved).items():
        assert loaded[name].numpy().tobytes() == value.tobytes()


def test_the_file_is_a_safetensors_file(tmp_path):
    # Read by the published layout: length, JSON, then the tensors as they are.
    data = checkpoints.save(tmp_path, 3, example(0.1)).read_bytes()
    length = int.from_bytes(data[:8], "little")
    entry = json.loads(data[8 : 8 + length])["model/half"]
    start, stop = entry["data_offsets"]
    half = np.frombuffer(data[8 + length :][start:stop], ml_dtypes.bfloat16)
    assert [entry["dtype"], entry["shape"]] == ["BF16", [2]]
    np.testing.assert_array_equal(half, np.array([0.1, 0.1], ml_dtypes.bfloat16))


@pytest.mark.parametrize("position", [0, 9, 60, 200, -1, -9])
def test_a_flipped_bit_is_found_wherever_it_is(tmp_path, position):
    path = checkpoints.save(tmp_path, 10, example(), {"best": 1})
    flip(path, position)
    with pytest.raises(checkpoints.CheckpointError, match="damaged"):
        checkpoints.read(path)


def test_another_kind_of_file_is_refused(tmp_path):
    path = tmp_path / "checkpoint-000000001.safetensors"
    path.write_text('{"not": "a checkpoint"}')
    with pytest.raises(checkpoints.CheckpointError, match="damaged"):
        checkpoints.read(path)
