"""The training loop: what it leaves behind, and that it resumes exactly."""

import os
import signal

import keras
import numpy as np
import pytest

from kerasseg import files, training
from kerasseg.training import checkpoints
from kerasseg.training.history import History
from tests.training import training_cases as cases

TIMES = {"seconds", "cpu_seconds", "images_per_s"}
KEPT = {"save_every", "log_every", "tensorboard"}


def full_step():
    """A step with everything that has state: Adam, norm, dropout, averages."""
    rate = training.learning_rate("cosine", peak=0.01, steps=12, warmup_steps=2)
    model = cases.network(norm=True, dropout=0.3)
    return cases.make_step(model, keras.optimizers.Adam(rate), ema_decay=0.9)


def fit(step, folder=None, *, steps=12, batches=cases.batches, **options):
    """Epochs of four steps; options of the validation and the folder by their names."""
    validate, patience = options.pop("validate", None), options.pop("patience", None)
    kept = {key: options.pop(key) for key in KEPT & options.keys()}
    return training.fit(
        step,
        batches,
        steps=steps,
        steps_per_epoch=4,
        validation=validate and training.Validation(validate, patience=patience),
        folder=training.RunFolder(folder, **kept) if kept else folder,
        **options,
    )


def brightness(step):
    """A validation metric that depends on all weights and differs every epoch."""
    return lambda: {"mean_iou": float(sum(w.sum() for w in step.model.get_weights()))}


def scores(*numbers):
    """A validation that reports these numbers, one an epoch."""
    numbers = iter(numbers)
    return lambda: {"mean_iou": next(numbers)}


def interrupted_at(position, number=signal.SIGINT):
    """Batches in which a signal arrives while step `position` is read."""

    def batches(start_step):
        for step, batch in enumerate(cases.batches(start_step), start_step + 1):
            if step == position:
                os.kill(os.getpid(), number)
            yield batch

    return batches


def rows(folder):
    """The history without its clock."""
    return [
        {key: value for key, value in row.items() if key not in TIMES}
        for row in History(folder / "history.jsonl").rows()
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run without a break: its folder, variables and weights of the best epoch."""
    folder = tmp_path_factory.mktemp("whole")
    step = full_step()
    result = fit(step, folder, validate=brightness(step), log_every=3)
    return folder, cases.values(step), result


@pytest.mark.parametrize("position", [4, 7])
def test_an_interrupted_run_resumes_bit_by_bit(tmp_path, whole, position):
    step = full_step()
    options = {"validate": brightness(step), "log_every": 3}
    with pytest.raises(KeyboardInterrupt, match=f"Stopped at step {position} of 12"):
        fit(step, tmp_path, batches=interrupted_at(position), **options)
    step = full_step()
    result = fit(step, tmp_path, validate=brightness(step), log_every=3)
    folder, expected, expected_result = whole
    cases.assert_identical(expected, cases.values(step))
    assert result == expected_result
    assert rows(tmp_path) == rows(folder)
    best = [cases.network(norm=True, dropout=0.3) for _ in range(2)]
    for model, place in zip(best, (folder, tmp_path)):
        model.load_weights(place / "best.weights.h5")
    for a, b in zip(best[0].get_weights(), best[1].get_weights()):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_after_its_step_and_says_how_to_go_on(tmp_path, number):
    before = signal.getsignal(number)
    with pytest.raises(training.Interrupted, match="goes on from there") as stop:
        fit(cases.make_step(), tmp_path, batches=interrupted_at(3, number))
    assert stop.value.signal == number and isinstance(stop.value, KeyboardInterrupt)
    path = checkpoints.latest(tmp_path / "checkpoints")
    assert checkpoints.read(path).step == 3
    assert signal.getsignal(number) == before


def test_a_run_interrupted_in_its_validation_repeats_the_validation(tmp_path, whole):
    def interrupted():
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("the interrupt waited")

    for _ in range(2):  # twice at the same place
        with pytest.raises(KeyboardInterrupt, match="Stopped at step 4"):
            fit(full_step(), tmp_path, validate=interrupted, log_every=3)
    step = full_step()
    fit(step, tmp_path, validate=brightness(step), log_every=3)
    cases.assert_identical(whole[1], cases.values(step))
    assert rows(tmp_path) == rows(whole[0])


def test_a_failing_validation_does_not_cost_the_epoch(tmp_path):
    with pytest.raises(ZeroDivisionError):
        fit(full_step(), tmp_path, validate=lambda: 1 / 0)
    path = checkpoints.latest(tmp_path / "checkpoints")
    assert checkpoints.read(path).step == 4


def test_the_same_call_after_the_end_does_nothing(tmp_path):
    fit(cases.make_step(), tmp_path, steps=4)
    step = cases.make_step()
    result = fit(step, tmp_path, steps=4, batches=lambda start: pytest.fail())
    assert (result.step, result.reason, step.position) == (4, "finished", 4)


def test_a_finished_run_can_be_made_longer(tmp_path):
    fit(cases.make_step(), tmp_path, steps=4)
    longer, whole = cases.make_step(), cases.make_step()
    fit(longer, tmp_path, steps=8)
    fit(whole, steps=8)
    cases.assert_identical(cases.values(whole), cases.values(longer))


def test_rows_hold_the_means_of_their_epoch(tmp_path):
    losses = []
    step = cases.make_step()
    fit(
        step,
        tmp_path,
        steps=6,
        validate=scores(0.5, 0.4),
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


def test_validation_metrics_do_not_hide_those_of_training(tmp_path):
    metrics = {"mean_iou": 0.5, "loss": 123.0}
    fit(cases.make_step(), tmp_path, steps=4, validate=lambda: metrics)
    (row,) = History(tmp_path / "history.jsonl").rows()
    assert row["val_loss"] == 123.0 and row["loss"] < 10


def test_the_best_weights_are_the_averaged_ones_of_the_best_epoch(tmp_path):
    step, seen = full_step(), []

    def validate():
        seen.append(step.model.get_weights())
        return {"mean_iou": (0.1, 0.9, float("nan"))[len(seen) - 1]}

    result = fit(step, tmp_path, validate=validate)
    assert (result.best, result.best_step) == (0.9, 8)
    model = cases.network(norm=True, dropout=0.3)
    model.load_weights(tmp_path / "best.weights.h5")
    for saved, wanted in zip(model.get_weights(), seen[1]):
        np.testing.assert_array_equal(saved, wanted)


def test_patience_ends_a_run_that_gets_no_better(tmp_path):
    step = cases.make_step()
    validate = scores(0.5, 0.7, 0.7, 0.6, 0.9)
    result = fit(step, tmp_path, steps=40, validate=validate, patience=2)
    assert result == training.FitResult(16, "patience", 0.7, 8)
    again = fit(cases.make_step(), tmp_path, steps=40, validate=validate, patience=2)
    assert again == result


def test_patience_counts_on_across_a_break(tmp_path):
    fit(cases.make_step(), tmp_path, steps=8, validate=scores(0.5, 0.4), patience=2)
    result = fit(
        cases.make_step(), tmp_path, steps=40, validate=scores(0.3), patience=2
    )
    assert (result.step, result.reason) == (12, "patience")


def with_nan(*numbers):
    """Batches of which some have an image of NaN."""

    def batches(start_step):
        for step, (images, labels) in enumerate(
            cases.batches(start_step), start_step + 1
        ):
            images[:1] = np.nan if step in numbers else images[:1]
            yield images, labels

    return batches


def test_a_loss_that_is_not_finite_stops_the_run_and_spares_what_is_saved(tmp_path):
    events = []
    # Where ReLU takes NaN for 0 (TensorFlow with oneDNN), only the gradient shows it.
    message = r"Step 6 gave loss=\S+ and grad_norm=nan"
    with pytest.raises(training.NonFiniteError, match=message) as error:
        fit(
            cases.make_step(),
            tmp_path,
            batches=with_nan(6),
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
    result = fit(step, tmp_path, steps=8, batches=with_nan(3, 6))
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
    fit(whole, steps=8, batches=with_nan(3, 6))
    fit(broken, tmp_path, steps=3, batches=with_nan(3, 6))
    broken = cases.make_step(**options)
    fit(broken, tmp_path, steps=8, batches=with_nan(3, 6))
    cases.assert_identical(cases.values(whole), cases.values(broken))


def test_a_run_that_only_skips_is_stopped():
    with pytest.raises(training.NonFiniteError, match="20 steps in a row"):
        step = cases.make_step(skip_non_finite=True)
        fit(step, steps=40, batches=with_nan(*range(2, 40)))


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    fit(cases.make_step(), tmp_path, steps=4)
    other = cases.make_step(cases.network(norm=True))
    with pytest.raises(checkpoints.CheckpointError, match=r"Missing.*gamma"):
        fit(other, tmp_path)


def test_another_environment_is_reported_on_resume(tmp_path):
    fit(cases.make_step(), tmp_path, steps=4)
    with pytest.warns(UserWarning, match="accumulate was 1, is 2"):
        fit(cases.make_step(accumulate=2), tmp_path, steps=8)


def test_a_full_disk_stops_the_run_and_spares_what_is_saved(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    fit(cases.make_step(), tmp_path, steps=4)
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(files.WriteError, match="No space left"):
        fit(cases.make_step(), tmp_path, steps=8)
    monkeypatch.undo()
    path = checkpoints.latest(tmp_path / "checkpoints")
    assert checkpoints.read(path).step == 4


def test_events_come_in_the_order_of_what_happens(tmp_path):
    events = []
    fit(
        cases.make_step(),
        tmp_path,
        steps=6,
        validate=scores(0.5, 0.4),
        save_every=3,
        on_event=events.append,
    )
    kinds = ["begin", *["step"] * 3, "saved", "step", "saved", "saved", "epoch"]
    kinds += ["step"] * 2 + ["saved", "epoch", "stopped"]
    assert [event["kind"] for event in events] == kinds
    assert [e["step"] for e in events if e["kind"] == "step"] == list(range(1, 7))
    assert [e["best"] for e in events if e["kind"] == "saved"] == [0, 1, 0, 0]
    assert events[-1]["reason"] == "finished"


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = fit(cases.make_step(), steps=4, validate=scores(0.5))
    assert (result.best, list(tmp_path.iterdir())) == (0.5, [])


def test_tensorboard_gets_an_event_file(tmp_path):
    fit(cases.make_step(), tmp_path, steps=4, log_every=2, tensorboard=True)
    (file,) = (tmp_path / "tensorboard").iterdir()
    assert b"step/loss" in file.read_bytes() and b"epoch/loss" in file.read_bytes()


def test_data_that_ends_early_is_an_error():
    def three(start_step):
        return [cases.batch(number) for number in range(3)]

    with pytest.raises(ValueError, match=r"go on to step 12. Received: 3 steps"):
        fit(cases.make_step(), batches=three)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "`steps` must be at least 1"),
        ({"patience": 0, "validate": lambda: {}}, "`patience` must be at least 1"),
        ({"validate": lambda: {"iou": 1.0}}, "Received: iou"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        fit(cases.make_step(), **options)
