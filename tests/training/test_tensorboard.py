"""TensorBoard scalars, without TensorBoard."""

import resource

import pytest

from kerasseg import files
from kerasseg.training import tensorboard
from tests.training import training_cases as cases


def test_tensorboard_gets_an_event_file(tmp_path):
    cases.fit(cases.make_step(), tmp_path, steps=4, log_every=2, tensorboard=True)
    (file,) = (tmp_path / "tensorboard").iterdir()
    assert b"step/loss" in file.read_bytes() and b"epoch/loss" in file.read_bytes()


def test_a_full_disk_is_named_and_not_taken_for_too_little_memory(tmp_path):
    write = tensorboard.make_listener(tmp_path, 1)
    write({"kind": "step", "step": 1, "loss": 0.5})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(files.WriteError, match=r"TensorBoard.*File too large"):
            write({"kind": "step", "step": 2, "loss": 0.5})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
