"""Checkpoint files: exact, checked, atomic."""

import os
import resource

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import files
from kerasseg.training import checkpoints
from tests.training import forks
from tests.training.saved import example, flip, values


def test_the_newest_two_are_kept(tmp_path):
    for step in (10, 20, 30):
        checkpoints.save(tmp_path, step, example())
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"checkpoint-{s:09d}.safetensors" for s in (20, 30)]
    assert checkpoints.latest(tmp_path).name == names[-1]


def test_an_empty_or_missing_folder_has_no_checkpoint(tmp_path):
    assert checkpoints.latest(tmp_path) is None
    assert checkpoints.latest(tmp_path / "missing") is None


@pytest.mark.parametrize("kept", [0, 7, 8, 100, -1])
def test_a_cut_off_file_gives_way_to_the_one_before(tmp_path, kept):
    good = checkpoints.save(tmp_path, 10, example())
    bad = checkpoints.save(tmp_path, 20, example())
    bad.write_bytes(bad.read_bytes()[:kept])
    with pytest.warns(UserWarning, match=r"000020.* damaged .*Using .*000010"):
        assert checkpoints.latest(tmp_path) == good
    assert checkpoints.latest(tmp_path) == good  # set aside: no second warning


def test_only_damaged_checkpoints_are_an_error_that_names_them(tmp_path):
    for step in (10, 20):
        flip(checkpoints.save(tmp_path, step, example()), -1)
    for _ in range(2):
        with pytest.raises(checkpoints.CheckpointError, match=r"000020.*000010"):
            checkpoints.latest(tmp_path)


def test_a_full_disk_leaves_the_good_file_and_is_named(tmp_path):
    good = checkpoints.save(tmp_path, 10, example())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    large = {"model/kernel": tf.zeros([100_000])}
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(files.WriteError, match=r"disk mounted at /.* MB free"):
            checkpoints.save(tmp_path, 20, large)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == [good]
    checkpoints.load(good, example())


def test_what_a_killed_save_left_is_cleared_away(tmp_path):
    rubbish = tmp_path / ".writing-checkpoint-000000005.safetensors"
    rubbish.write_bytes(b"half")
    assert checkpoints.latest(tmp_path) is None
    checkpoints.save(tmp_path, 10, example())
    assert not rubbish.exists()


def test_a_third_checkpoint_never_stays(tmp_path):
    for step in (50, 75, 25, 60):
        checkpoints.save(tmp_path, step, example())
        assert len(list(tmp_path.iterdir())) <= 2
    names = [path.name for path in tmp_path.iterdir()]
    assert "checkpoint-000000060.safetensors" in names
    (tmp_path / "checkpoint-000000001.safetensors").touch()  # of a killed `save`
    checkpoints.prune(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)


def test_a_damaged_checkpoint_stays_until_two_are_newer(tmp_path):
    damaged = tmp_path / "checkpoint-000000020.safetensors.damaged"
    checkpoints.save(tmp_path, 10, example())
    damaged.touch()
    for step, stays in ((20, True), (30, True), (40, False)):
        checkpoints.save(tmp_path, step, example())
        assert damaged.exists() == stays


def test_a_checkpoint_that_is_deleted_while_it_is_read_is_not_damaged(
    tmp_path, monkeypatch
):
    checkpoints.save(tmp_path, 10, example())
    read = checkpoints.read

    def late(path):
        monkeypatch.setattr(checkpoints, "read", read)
        for step in (20, 30):
            checkpoints.save(tmp_path, step, example())
        return read(path)

    monkeypatch.setattr(checkpoints, "read", late)
    assert checkpoints.latest(tmp_path).name == "checkpoint-000000030.safetensors"


def test_two_processes_that_save_the_same_steps_harm_nothing(tmp_path):
    values = {"kernel": np.ones(300_000, "float32")}

    def save():
        for number in range(12):
            checkpoints.save(tmp_path, 25 * (1 + number % 3), values)

    child = forks.start(save)
    save()
    assert forks.wait(child) == 0
    found = list(tmp_path.iterdir())
    assert len(found) == 2
    for path in found:
        np.testing.assert_array_equal(checkpoints.read(path).arrays["kernel"], 1)


def test_a_clock_set_back_leaves_the_newest_step_the_newest(tmp_path):
    for step in (10, 20):
        path = checkpoints.save(tmp_path, step, example())
        os.utime(path, (2_000_000_000 - 1e6 * step,) * 2)
    assert checkpoints.latest(tmp_path) == path


def test_another_model_is_refused_with_the_difference_and_unchanged(tmp_path):
    path = checkpoints.save(tmp_path, 10, example(3.0))
    other = example(1.0)
    other["model/new"] = other.pop("model/flag")
    other["model/kernel"] = keras.Variable(np.ones((3, 3)), dtype="float32")
    before = values(other)
    with pytest.raises(checkpoints.CheckpointError) as error:
        checkpoints.load(path, other)
    assert "Missing in the file: model/new." in str(error.value)
    assert "Unexpected in the file: model/flag." in str(error.value)
    assert "model/kernel (wanted float32 [3, 3], received float32 [2, 3])" in str(
        error.value
    )
    for name, value in values(other).items():
        assert value.tobytes() == before[name].tobytes()
