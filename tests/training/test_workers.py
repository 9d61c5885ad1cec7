"""MultiWorkerMirroredStrategy: two processes on this machine."""

import pytest

from kerasseg.training.history import History
from tests.training.children import run_child


@pytest.fixture(scope="module")
def workers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workers")
    return folder, run_child("child_workers.py", folder)


@pytest.mark.slow
def test_workers_end_with_equal_weights_also_after_one_was_killed(workers):
    folder, report = workers
    assert report["whole"][0] == report["whole"][1]
    assert report["killed"] == report["whole"]
    rows = [
        History(folder / name / "history.jsonl").rows() for name in ("whole", "killed")
    ]
    assert [[row["step"] for row in found] for found in rows] == [[4, 8], [4, 8]]


@pytest.mark.slow
def test_the_command_trains_on_several_workers(workers):
    folder, report = workers
    assert report["command"] == [0, 0]
    assert (folder / "run/results.json").is_file()
