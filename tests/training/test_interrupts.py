"""Signals stop a run between two steps, and at once in a validation."""

import signal

import pytest

from kerasseg import training
from kerasseg.training import checkpoints
from tests.training import training_cases as cases


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_after_its_step_and_says_how_to_go_on(tmp_path, number):
    before = signal.getsignal(number)
    with pytest.raises(training.Interrupted, match="goes on from there") as stop:
        cases.fit(cases.make_step(), tmp_path, batches=cases.interrupted_at(3, number))
    assert stop.value.signal == number and isinstance(stop.value, KeyboardInterrupt)
    path = checkpoints.latest(tmp_path / "checkpoints")
    assert checkpoints.read(path).step == 3
    assert signal.getsignal(number) == before
