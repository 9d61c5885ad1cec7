"""TensorBoard scalars, without TensorBoard."""

from tests.training import training_cases as cases


def test_tensorboard_gets_an_event_file(tmp_path):
    cases.fit(cases.make_step(), tmp_path, steps=4, log_every=2, tensorboard=True)
    (file,) = (tmp_path / "tensorboard").iterdir()
    assert b"step/loss" in file.read_bytes() and b"epoch/loss" in file.read_bytes()
