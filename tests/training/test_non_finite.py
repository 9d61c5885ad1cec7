"""Steps whose loss or gradient is not finite: stopped at, or skipped."""

import numpy as np
import pytest

from kerasseg import training
from kerasseg.training import checkpoints
from kerasseg.training.history import History
from tests.training import training_cases as cases


def test_a_loss_that_is_not_finite_stops_the_run_and_spares_what_is_saved(tmp_path):
    events = []
    # Where ReLU takes NaN for 0 (TensorFlow with oneDNN), only the gradient shows it.
    message = r"Step 6 gave loss=\S+ and grad_norm=nan"
    with pytest.raises(training.NonFiniteError, match=message) as error:
        cases.fit(
            cases.make_step(),
            tmp_path,
            batches=cases.with_nan(6),
            save_every=1,
            names_of=lambda step: [f"{step}a.png", f"{step}b.png"],
            on_event=events.append,
        )
    assert error.value.step == 6 and "5a.png, 5b.png" in str(error.value)
    assert events[-1]["reason"] == "not finite"
    row = History(tmp_path / "history.jsonl").rows()[-1]
    assert (row["kind"], row["samples"]) == ("not_finite", ["5a.png", "5b.png"])
    saved = checkpoints.read(checkpoints.latest(tmp_path / "checkpoints"))
    assert saved.step == 5
    assert all(np.isfinite(a).all() for a in saved.arrays.values())


def test_steps_that_are_not_finite_can_be_skipped_and_are_written_down(tmp_path):
    step, clean = cases.make_step(skip_non_finite=True), cases.make_step()
    result = cases.fit(step, tmp_path, steps=8, batches=cases.with_nan(3, 6))
    for number, (images, labels) in zip(range(8), cases.batches(0)):
        if number not in (2, 5):
            clean(images, labels)
    assert result.step == 8
    for left, right in zip(clean.model.get_weights(), step.model.get_weights()):
        np.testing.assert_array_equal(left, right)
    found = History(tmp_path / "history.jsonl").rows()
    bad = [row for row in found if row["kind"] == "not_finite"]
    assert [row["step"] for row in bad] == [3, 6]
    epochs = [row for row in found if row["kind"] == "epoch"]
    assert [row["skipped_steps"] for row in epochs] == [1, 1]
    assert all(row["loss"] > 0 for row in epochs)


def test_skipping_resumes_bit_by_bit(tmp_path):
    options = {"skip_non_finite": True, "ema_decay": 0.9}
    whole, broken = cases.make_step(**options), cases.make_step(**options)
    cases.fit(whole, steps=8, batches=cases.with_nan(3, 6))
    cases.fit(broken, tmp_path, steps=3, batches=cases.with_nan(3, 6))
    broken = cases.make_step(**options)
    cases.fit(broken, tmp_path, steps=8, batches=cases.with_nan(3, 6))
    cases.assert_identical(cases.values(whole), cases.values(broken))


def test_a_run_that_only_skips_is_stopped():
    with pytest.raises(training.NonFiniteError, match="20 steps in a row"):
        step = cases.make_step(skip_non_finite=True)
        cases.fit(step, steps=40, batches=cases.with_nan(*range(2, 40)))
