"""Signals stop a run between two steps, and at once in a validation."""

import os
import signal

import pytest

from kerasseg import training
from kerasseg.training import checkpoints, interrupts
from tests.training import training_cases as cases

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that no signal reached: everything it changed, and its history."""
    folder, step = tmp_path_factory.mktemp("whole"), cases.full_step()
    cases.fit(step, folder, validate=cases.brightness(step))
    return cases.values(step), cases.rows(folder)


def assert_goes_on(folder, whole):
    """The same call again must end as a run without the signals."""
    step = cases.full_step()
    cases.fit(step, folder, validate=cases.brightness(step))
    cases.assert_identical(whole[0], cases.values(step))
    assert cases.rows(folder) == whole[1]


@pytest.fixture(autouse=True)
def nothing_is_ignored():
    """Under nohup SIGHUP is, and a training leaves that as it is."""
    ignored = [x for x in SIGNALS if signal.getsignal(x) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_the_run_after_its_step_and_says_how_to_go_on(tmp_path, number):
    before = signal.getsignal(number)
    with pytest.raises(training.Interrupted, match="goes on from there") as stop:
        cases.fit(cases.make_step(), tmp_path, batches=cases.interrupted_at(3, number))
    assert stop.value.signal == number and isinstance(stop.value, KeyboardInterrupt)
    path = checkpoints.latest(tmp_path / "checkpoints")
    assert checkpoints.read(path).step == 3
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("position", [3, 6])
def test_a_second_signal_stops_at_once_and_the_run_goes_on(tmp_path, whole, position):
    def twice(start_step):
        for batch in cases.interrupted_at(position)(start_step):
            if signal.getsignal(signal.SIGINT).received:
                os.kill(os.getpid(), signal.SIGTERM)
                pytest.fail("the second signal waited")
            yield batch

    step = cases.full_step()
    with pytest.raises(training.Interrupted, match=r"at once.*last checkpoint") as stop:
        cases.fit(step, tmp_path, batches=twice, validate=cases.brightness(step))
    assert stop.value.signal == signal.SIGINT
    path = checkpoints.latest(tmp_path / "checkpoints")
    assert (checkpoints.read(path).step if path else 0) == position // 4 * 4
    assert_goes_on(tmp_path, whole)


@pytest.mark.parametrize("signals", [1, 2])
def test_a_signal_while_weights_and_averages_are_exchanged(tmp_path, whole, signals):
    step, calls = cases.full_step(), []
    weight = step.model.weights[-1]
    assign = weight.assign

    def late(value):
        calls.append(value)
        if len(calls) == 2:  # the weights return after the validation
            for _ in range(signals):
                os.kill(os.getpid(), signal.SIGINT)
        return assign(value)

    weight.assign = late
    with pytest.raises(training.Interrupted):
        cases.fit(step, tmp_path, validate=cases.brightness(step))
    assert_goes_on(tmp_path, whole)


def test_a_second_signal_while_the_first_one_saves(tmp_path, whole):
    def impatient(event):
        if event["kind"] == "saved":
            os.kill(os.getpid(), signal.SIGINT)

    batches = cases.interrupted_at(3)
    with pytest.raises(training.Interrupted, match="at once"):
        cases.fit(cases.full_step(), tmp_path, batches=batches, on_event=impatient)
    assert_goes_on(tmp_path, whole)


def test_a_signal_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as under `nohup`
    try:
        with interrupts.deferred() as handler:
            os.kill(os.getpid(), signal.SIGHUP)
        assert handler.received is None
    finally:
        signal.signal(signal.SIGHUP, before)
