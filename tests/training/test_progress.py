"""The progress of a run, in memory and in checkpoints."""

import dataclasses

import pytest

from kerasseg.training import checkpoints
from kerasseg.training.progress import Progress
from tests.training import training_cases as cases

# As the first checkpoints hold it, under the key "record".
SUMS = {"steps": 2, "loss": 3.0, "grad_steps": 1, "grad_norm": 0.5, "skipped": 1}
SUMS |= {"seconds": 0.2, "cpu_seconds": 0.3, "timed_images": 8, "timed_seconds": 0.1}
RECORD = {"best": 0.5, "best_step": 4, "stale_epochs": 1, "learning_rate": 0.1}
RECORD |= {"history_rows": 3, "skipped_in_a_row": 0, "sums": SUMS}


def test_progress_of_earlier_checkpoints_is_read():
    progress = Progress(**RECORD)
    assert dataclasses.asdict(progress) == RECORD
    row = progress.end_epoch()
    assert [row["loss"], row["grad_norm"], row["skipped_steps"]] == [1.5, 0.5, 1]
    assert row["images_per_s"] == pytest.approx(80)


def test_checkpoints_keep_their_keys(tmp_path):
    cases.fit(cases.make_step(), tmp_path, steps=4)
    saved = checkpoints.read(checkpoints.latest(tmp_path / "checkpoints"))
    assert saved.extra.keys() == {"record", "fingerprint"}
    assert saved.extra["record"].keys() == RECORD.keys()
    assert saved.extra["record"]["sums"].keys() == SUMS.keys()


def test_a_better_metric_is_a_larger_number():
    progress = Progress()
    found = [progress.update_best(x, 1) for x in (float("nan"), 0.5, 0.5, 0.6, None)]
    assert found == [False, True, False, True, False]
    assert [progress.best, progress.stale_epochs] == [0.6, 1]
