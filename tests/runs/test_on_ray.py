"""Workers of Ray: the same results, whoever dies."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from kerasseg import datasets, images, runs
from kerasseg.runs import on_ray
from kerasseg.weights import catalog

LIST, NUM, MOST_S = "list.txt", 96, 240


@pytest.fixture
def folder(tmp_path):
    """Three images that take a while, and a list that names them many times."""
    pytest.importorskip("ray")
    samples = datasets.shapes(3, size=(320, 400), seed=9)
    for index in range(3):
        images.write_image(tmp_path / f"{index}.png", samples[index]["image"])
    names = "".join(f"{i % 3}.png\n" for i in range(NUM))
    (tmp_path / LIST).write_text(names)
    return tmp_path


def start(folder):
    """The command line with two workers, in a process of its own."""
    given = ["predict", LIST, "--weights", "shapes", "--out", "out", "--on", "ray"]
    command = [sys.executable, "-m", "kerasseg", *given, "--workers", "2"]
    source = pathlib.Path(runs.__file__).parents[2]
    path = os.pathsep.join([str(source), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def masks(folder):
    found = folder.glob("out/masks/*/*.png")
    return {path.relative_to(folder): path.stat().st_mtime_ns for path in found}


def wait_for_masks(folder, num, process):
    end = time.monotonic() + MOST_S
    while len(masks(folder)) < num and process.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.02)


def workers():
    """Processes of Ray's that compute, of any program on this machine."""
    found = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True)
    lines = [line.split(None, 1) for line in found.stdout.splitlines()]
    return {int(pid) for pid, args in lines if args.startswith("ray::MapWorker")}


@pytest.mark.slow
def test_a_killed_worker_costs_nothing(folder):
    before = workers()
    process = start(folder)
    wait_for_masks(folder, 5, process)
    os.kill(min(workers() - before), signal.SIGKILL)
    out, error = process.communicate(timeout=MOST_S)
    assert process.returncode == 0, error
    assert out.splitlines()[-1] == f"Wrote {NUM} predictions to out/."
    assert "(raylet)" not in out + error
    assert "kerasseg: a worker died; another one goes on." in error
    entry = catalog.entry("shapes")
    runs.predict(entry, [folder / f"{i}.png" for i in range(3)], folder / "one")
    written = {(folder / path).read_bytes() for path in masks(folder)}
    known = {path.read_bytes() for path in (folder / "one/masks").iterdir()}
    assert len(masks(folder)) == NUM and written == known


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_driver_that_ends_goes_on_where_it_was(folder, number):
    process = start(folder)
    wait_for_masks(folder, 20, process)
    process.send_signal(number)
    _, error = process.communicate(timeout=MOST_S)
    if number != signal.SIGKILL:
        assert process.returncode == 128 + number
        words = "kerasseg: interrupted; the same command goes on with what is missing\n"
        assert error == words
    end = time.monotonic() + MOST_S
    while workers() and time.monotonic() < end:  # they end with it
        time.sleep(0.1)
    before = masks(folder)
    assert 0 < len(before) < NUM
    out, error = start(folder).communicate(timeout=MOST_S)
    assert f"Wrote {NUM} predictions to out/." in out, error
    after = masks(folder)
    # One image of each worker may have been written without a line in the journal.
    again = [path for path in before if before[path] != after[path]]
    assert len(after) == NUM and len(again) <= 2
    assert not [*folder.glob("out/work/*.jsonl")]


def test_an_address_without_a_cluster_gets_words():
    pytest.importorskip("ray")
    found = on_ray.completed([0], {}, address="127.0.0.1:1")
    with pytest.raises(ValueError, match=r"no cluster of Ray at 127\.0\.0\.1:1"):
        next(found)


def test_an_error_that_ends_the_run_is_an_answer(tmp_path):
    given = {"run": str(tmp_path), "options": None, "out": str(tmp_path)}
    actor = on_ray._Actor(given, {})
    answer = json.loads(actor({"shard": [0]})["summary"][0])
    assert "must be a run folder with trained weights" in answer["error"]


@pytest.mark.parametrize(
    "given, expected",
    [
        ((None, 0.0), (1.0, 8)),
        ((2, 0.0), (4.0, 2)),
        ((3, 0.0), (2.0, 3)),
        ((16, 0.0), (0.5, 16)),
        ((None, 0.5), (2.0, 4)),
        ((1, 2.0), (8.0, 1)),
    ],
)
def test_cores_are_divided_among_workers(given, expected):
    assert on_ray._shares({"CPU": 8.0, "GPU": 2.0}, *given) == expected


def test_more_gpus_than_there_are_get_words():
    with pytest.raises(ValueError, match=r"4 GPUs, 1 for each.*Received: 2"):
        on_ray._shares({"CPU": 8.0, "GPU": 2.0}, 4, 1.0)
