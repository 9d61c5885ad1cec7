"""Validations: metrics beside those of training, and patience."""

import pytest

from kerasseg import training
from kerasseg.training import checkpoints
from kerasseg.training.history import History
from tests.training import training_cases as cases


def test_validation_metrics_do_not_hide_those_of_training(tmp_path):
    metrics = {"mean_iou": 0.5, "loss": 123.0}
    cases.fit(cases.make_step(), tmp_path, steps=4, validate=lambda: metrics)
    (row,) = History(tmp_path / "history.jsonl").rows()
    assert row["val_loss"] == 123.0 and row["loss"] < 10


def test_patience_ends_a_run_that_gets_no_better(tmp_path):
    step = cases.make_step()
    validate = cases.scores(0.5, 0.7, 0.7, 0.6, 0.9)
    result = cases.fit(step, tmp_path, steps=40, validate=validate, patience=2)
    assert result == training.FitResult(16, "patience", 0.7, 8)
    again = cases.fit(
        cases.make_step(), tmp_path, steps=40, validate=validate, patience=2
    )
    assert again == result


def test_patience_counts_on_across_a_break(tmp_path):
    cases.fit(
        cases.make_step(),
        tmp_path,
        steps=8,
        validate=cases.scores(0.5, 0.4),
        patience=2,
    )
    result = cases.fit(
        cases.make_step(), tmp_path, steps=40, validate=cases.scores(0.3), patience=2
    )
    assert (result.step, result.reason) == (12, "patience")


def test_a_failing_validation_does_not_cost_the_epoch(tmp_path):
    with pytest.raises(ZeroDivisionError):
        cases.fit(cases.full_step(), tmp_path, validate=lambda: 1 / 0)
    path = checkpoints.latest(tmp_path / "checkpoints")
    assert checkpoints.read(path).step == 4


def test_without_a_score_the_lowest_loss_is_best(tmp_path):
    seen = []
    result = cases.fit(
        cases.make_step(),
        tmp_path,
        steps=12,
        validate=cases.scores(None, None, None),
        on_event=seen.append,
    )
    epochs = [event for event in seen if event["kind"] == "epoch"]
    losses = [event["loss"] for event in epochs]
    assert [event["mean_iou"] for event in epochs] == [None] * 3
    assert result.best == -min(losses)
    best = [event["is_best"] for event in epochs]
    assert best == [loss == min(losses[: i + 1]) for i, loss in enumerate(losses)]
    rows = History(tmp_path / "history.jsonl").rows()
    assert all(row["mean_iou"] is None for row in rows if row["kind"] == "epoch")
    assert (tmp_path / "best.weights.h5").is_file()
