"""Run by test_workers.py: two workers of a MultiWorkerMirroredStrategy, as forks.

Argument: a folder. Prints JSON: digests of everything that training changes, from both
workers, of a run without a break and of one that lost a worker; and the exit codes of
the command that trains a recipe, without a break and with a lost worker, too.
"""

import hashlib
import json
import os
import pathlib
import runpy
import signal
import socket
import sys
import time

import forks
import keras
import training_cases as cases

from kerasseg import training
from kerasseg.runs import devices

ROOT = pathlib.Path(__file__).parents[2]
SMALL = [
    "data.train={num=4, size=32, seed=1}",
    "data.val={num=1, size=32, seed=2}",
    "augment.size=[32, 32]",
    "model.base_filters=4",
    "train.batch_size=4",
    "train.epochs=2",
    "train.steps_per_epoch=10",
    "train.precision=float32",
    "train.deterministic=true",
]


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start_workers(function):
    """Call a function of the worker's number in two forks that find each other."""
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]

    def work(index):
        task = {"type": "worker", "index": index}
        config = {"cluster": {"worker": addresses}, "task": task}
        os.environ["TF_CONFIG"] = json.dumps(config)
        function(index)

    return [forks.start(lambda index=index: work(index)) for index in range(2)]


def train(folder, index, dies_at=0):
    """Train, die after a step (0: never), and write the digest to a file."""
    found = devices.prepare("float32", "multiworker", deterministic=True)
    with found.strategy.scope():
        model = cases.network(norm=True, dropout=0.3)
        step = cases.make_step(model, keras.optimizers.Adam(0.01), ema_decay=0.9)

    def die(event):
        if event["kind"] == "step" and event["step"] == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    training.fit(
        step,
        cases.batches,
        steps=8,
        steps_per_epoch=4,
        validation=training.Validation(lambda: {"mean_iou": float(step.position)}),
        folder=training.RunFolder(folder, save_every=1),
        on_event=die,
    )
    digest = hashlib.sha256()
    for value in cases.values(step).values():
        digest.update(value.tobytes())
    (folder / f"digest{index}").write_text(digest.hexdigest())


def digests(folder):
    """Train on both workers to the end; return what each wrote."""
    workers = start_workers(lambda index: train(folder, index))
    assert [forks.wait(worker) for worker in workers] == [0, 0]
    return [(folder / f"digest{index}").read_text() for index in range(2)]


def lose_a_worker(folder):
    first, second = start_workers(lambda index: train(folder, index, index * 5))
    assert forks.wait(second) == -signal.SIGKILL
    time.sleep(1)
    os.kill(first, signal.SIGKILL)  # it waits for the other, for half a minute
    forks.wait(first)


def command(out, *options):
    """Start `scripts/train.py` on both workers; returns their process ids."""
    arguments = ["--distribute", "multiworker", "--json", "--out", str(out), *options]
    arguments += [part for text in SMALL for part in ("--set", text)]

    def run(index):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.argv = ["train.py", *arguments]
        runpy.run_path(str(ROOT / "scripts/train.py"), run_name="__main__")

    return start_workers(run)


def lose_the_second(out, workers):
    """Kill what the second of two watched workers runs, after the first epoch."""
    history = out / "history.jsonl"
    while not history.exists() or not history.read_text().strip():
        time.sleep(0.05)
    watcher = workers[1]
    children = pathlib.Path(f"/proc/{watcher}/task/{watcher}/children").read_text()
    os.kill(int(children.split()[0]), signal.SIGKILL)


def main():
    folder = pathlib.Path(sys.argv[1])
    report = {"whole": digests(folder / "whole")}
    lose_a_worker(folder / "killed")
    report["killed"] = digests(folder / "killed")
    report["command"] = [forks.wait(one) for one in command(folder / "run")]
    workers = command(folder / "again", "--restarts", "5")
    lose_the_second(folder / "again", workers)
    report["restarts"] = [forks.wait(one) for one in workers]
    print(json.dumps(report))


if __name__ == "__main__":
    main()
