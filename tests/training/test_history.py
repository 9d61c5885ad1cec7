"""The JSON-lines log of a run."""

import json

import numpy as np
import pytest

from kerasseg.training.history import History


@pytest.fixture
def history(tmp_path):
    history = History(tmp_path / "run" / "history.jsonl")
    for step in (10, 20, 30):
        history.append({"step": step, "loss": 1 / step})
    return history


def test_rows_come_back_in_order_and_exactly(history):
    assert history.rows() == [{"step": s, "loss": 1 / s} for s in (10, 20, 30)]


def test_every_row_is_one_line_of_strict_json(history):
    history.append({"step": 40, "loss": float("nan"), "best": [np.inf, 1.5]})
    *_, last = history.path.read_text().splitlines()
    assert json.loads(last, parse_constant=pytest.fail) == {
        "step": 40,
        "loss": None,
        "best": [None, 1.5],
    }


def test_numpy_values_become_plain_numbers(history):
    row = {"a": np.float32(0.5), "b": np.int64(3), "c": np.arange(2), "d": np.bool_(1)}
    history.append(row)
    assert history.rows()[-1] == {"a": 0.5, "b": 3, "c": [0, 1], "d": True}


def test_objects_that_are_no_numbers_are_refused(history):
    with pytest.raises(TypeError, match="Received: object"):
        history.append({"step": 40, "what": object()})
    assert len(history.rows()) == 3


def test_resuming_drops_the_rows_of_later_steps(history):
    history.truncate_after(20)
    assert [row["step"] for row in history.rows()] == [10, 20]


def test_resuming_can_drop_rows_of_the_same_step(history):
    history.append({"step": 30, "kind": "written after the checkpoint"})
    history.truncate_after(30, max_rows=3)
    assert [row["step"] for row in history.rows()] == [10, 20, 30]


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_torn_last_line_is_dropped(history, cut):
    history.path.write_bytes(history.path.read_bytes()[:-cut])
    history.truncate_after(100)
    complete = 3 if cut == 1 else 2  # one byte is only the newline
    assert len(history.rows()) == complete
    assert history.path.read_text().endswith("}\n")


def test_a_row_after_a_torn_line_stays_readable(history):
    history.path.write_bytes(history.path.read_bytes()[:-5])
    history.append({"step": 40})
    assert [row["step"] for row in history.rows()] == [10, 20, 40]


def test_a_missing_file_has_no_rows(tmp_path):
    history = History(tmp_path / "history.jsonl")
    history.truncate_after(0)
    assert history.rows() == []
