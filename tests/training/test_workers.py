"""MultiWorkerMirroredStrategy: two processes on this machine."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import pytest

from kerasseg.training.history import History

FOLDER = pathlib.Path(__file__).parent
ROOT = FOLDER.parents[1]
SMALL = [
    "data.train={num=8, size=32, seed=1}",
    "data.val={num=2, size=32, seed=2}",
    "augment.size=[32, 32]",
    "model.base_filters=4",
    "train.epochs=1",
    "train.steps_per_epoch=2",
]


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start(command, *, deaths=None):
    """Start both workers; `deaths` are the last arguments of either, if given."""
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    workers = []
    for index in range(2):
        more = [deaths[index]] if deaths else []
        task = {"type": "worker", "index": index}
        config = {"cluster": {"worker": addresses}, "task": task}
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TF_CONFIG": json.dumps(config),
        }
        workers.append(
            subprocess.Popen(
                [sys.executable, *map(str, command), *map(str, more)],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    return workers


def finish(workers):
    """Wait for both; return the last line that each printed."""
    lines = []
    for worker in workers:
        out, err = worker.communicate(timeout=600)
        assert worker.returncode == 0, err[-3000:]
        lines.append(out.splitlines()[-1])
    return lines


@pytest.mark.slow
def test_workers_end_with_equal_weights_also_after_one_was_killed(tmp_path):
    child = FOLDER / "child_workers.py"
    whole = finish(start([child, tmp_path / "whole", 0]))
    assert whole[0] == whole[1]
    first, second = start([child, tmp_path / "killed"], deaths=[0, 5])
    second.communicate(timeout=600)
    assert second.returncode == -signal.SIGKILL
    time.sleep(1)
    first.kill()  # it waits for the other, for half a minute
    first.communicate()
    assert finish(start([child, tmp_path / "killed", 0])) == whole
    rows = [
        History(tmp_path / name / "history.jsonl").rows()
        for name in ("whole", "killed")
    ]
    assert [[row["step"] for row in found] for found in rows] == [[4, 8], [4, 8]]


@pytest.mark.slow
def test_the_command_trains_on_several_workers(tmp_path):
    command = [ROOT / "scripts/train.py", "--distribute", "multiworker", "--json"]
    command += ["--out", tmp_path / "run"]
    command += [part for text in SMALL for part in ("--set", text)]
    finish(start(command))
    assert (tmp_path / "run/results.json").is_file()
