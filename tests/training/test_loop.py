"""The loop over epochs: what happens, in which order, and again after a stop."""

import os
import signal

import numpy as np
import pytest

from kerasseg.training.history import History
from tests.training import training_cases as cases


def test_a_run_interrupted_in_its_validation_repeats_the_validation(tmp_path, whole):
    def interrupted():
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("the interrupt waited")

    for _ in range(2):  # twice at the same place
        with pytest.raises(KeyboardInterrupt, match="Stopped at step 4"):
            cases.fit(cases.full_step(), tmp_path, validate=interrupted, log_every=3)
    step = cases.full_step()
    cases.fit(step, tmp_path, validate=cases.brightness(step), log_every=3)
    cases.assert_identical(whole[1], cases.values(step))
    assert cases.rows(tmp_path) == cases.rows(whole[0])


def test_the_same_call_after_the_end_does_nothing(tmp_path):
    cases.fit(cases.make_step(), tmp_path, steps=4)
    step = cases.make_step()
    result = cases.fit(step, tmp_path, steps=4, batches=lambda start: pytest.fail())
    assert (result.step, result.reason, step.position) == (4, "finished", 4)


def test_a_finished_run_can_be_made_longer(tmp_path):
    cases.fit(cases.make_step(), tmp_path, steps=4)
    longer, whole = cases.make_step(), cases.make_step()
    cases.fit(longer, tmp_path, steps=8)
    cases.fit(whole, steps=8)
    cases.assert_identical(cases.values(whole), cases.values(longer))


def test_rows_hold_the_means_of_their_epoch(tmp_path):
    losses = []
    step = cases.make_step()
    cases.fit(
        step,
        tmp_path,
        steps=6,
        validate=cases.scores(0.5, 0.4),
        on_event=lambda e: losses.append(e["loss"]) if e["kind"] == "step" else None,
    )
    first, last = History(tmp_path / "history.jsonl").rows()
    assert [first["step"], last["step"]] == [4, 6]  # the last epoch is shorter
    assert [first["epoch"], last["epoch"]] == [1, 2]
    assert first["loss"] == pytest.approx(np.mean(losses[:4]))
    assert last["loss"] == pytest.approx(np.mean(losses[4:]))
    assert [first["mean_iou"], first["is_best"], last["is_best"]] == [0.5, True, False]
    assert first["learning_rate"] == pytest.approx(0.1)
    assert first["images_per_s"] > 0 and first["seconds"] > 0


def test_events_come_in_the_order_of_what_happens(tmp_path):
    events = []
    cases.fit(
        cases.make_step(),
        tmp_path,
        steps=6,
        validate=cases.scores(0.5, 0.4),
        save_every=3,
        on_event=events.append,
    )
    kinds = ["begin", *["step"] * 3, "saved", "step", "saved", "saved", "epoch"]
    kinds += ["step"] * 2 + ["saved", "epoch", "stopped"]
    assert [event["kind"] for event in events] == kinds
    assert [e["step"] for e in events if e["kind"] == "step"] == list(range(1, 7))
    assert [e["best"] for e in events if e["kind"] == "saved"] == [0, 1, 0, 0]
    assert events[-1]["reason"] == "finished"
