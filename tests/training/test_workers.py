"""MultiWorkerMirroredStrategy: two processes on this machine."""

import h5py
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


def arrays(path):
    """All arrays of an HDF5 file, as bytes by name."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: (
                found.update({name: item[()].tobytes()})
                if isinstance(item, h5py.Dataset)
                else None
            )
        )
    return found


@pytest.mark.slow
def test_the_command_forms_the_group_again_by_itself(workers):
    folder, report = workers
    assert report["restarts"] == [0, 0]
    whole, again = (folder / name for name in ("run", "again"))
    losses = [
        [row["loss"] for row in History(run / "history.jsonl").rows()]
        for run in (whole, again)
    ]
    assert len(losses[0]) == 2 and losses[0] == losses[1]
    weights = [arrays(run / "best.weights.h5") for run in (whole, again)]
    assert weights[0] == weights[1]
