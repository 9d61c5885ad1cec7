"""Lines of a training in a log file, and on terminals that go away."""

import os
import pty
import re
import signal
import subprocess
import sys

import pytest

from kerasseg import files
from kerasseg.cli.progress import Progress
from kerasseg.training import checkpoints

BEGIN = {"kind": "begin", "step": 0, "steps": 9}
STEP = {"kind": "step", "step": 1, "loss": 0.5, "epoch": 1, "images_per_s": 1.0}


def log_to(file, monkeypatch):
    """Lines of a training that begins, into a file."""
    monkeypatch.setattr(sys, "stdout", file)
    with Progress() as progress:
        for event in ({"kind": "device", "text": "CPU"}, BEGIN, STEP):
            progress.update(event)
    monkeypatch.undo()


def test_a_log_on_a_full_disk_does_not_stop_the_training(monkeypatch):
    with open("/dev/full", "w") as full:
        log_to(full, monkeypatch)
        with pytest.raises(OSError):
            full.close()


def test_a_reader_that_leaves_ends_a_training_as_a_closed_terminal(monkeypatch):
    told, (reading, writing) = [], os.pipe()
    os.close(reading)
    before = signal.signal(signal.SIGHUP, lambda number, frame: told.append(number))
    with open(writing, "w") as left:
        log_to(left, monkeypatch)
        with pytest.raises(BrokenPipeError):
            left.close()
    signal.signal(signal.SIGHUP, before)
    assert told == [signal.SIGHUP]


def test_a_notebook_keeps_lines_and_no_states_of_a_bar():
    """As `!kerasseg train` of a notebook: on a pseudo-terminal, below a kernel."""
    program = (
        "from kerasseg.cli.progress import Progress\n"
        "with Progress() as progress:\n"
        f"    for event in ({{'kind': 'device', 'text': 'CPU'}}, {BEGIN}, {STEP}):\n"
        "        progress.update(event)\n"
    )
    script = f"import pty; pty.spawn([{sys.executable!r}, '-c', {program!r}])"
    environment = {**os.environ, "JPY_PARENT_PID": "1", "TERM": "xterm-color"}
    found = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert found.stdout.split() == ["CPU"]


@pytest.mark.slow
def test_a_closed_terminal_saves_the_run_before_it_ends(tmp_path):
    settings = [
        "data.train={num=4, size=32, seed=1}",
        "data.val={num=1, size=32, seed=2}",
        "augment.size=[32, 32]",
        "model.encoder=tiny",
        "train.batch_size=2",
        "train.steps_per_epoch=100000",
    ]
    options = [part for text in settings for part in ("--set", text)]
    out = tmp_path / "run"
    command = [sys.executable, "-m", "kerasseg", "train", "--out", str(out), *options]
    child, terminal = pty.fork()
    if not child:
        os.execv(command[0], command)
    shown = b""
    while b"loss 0" not in shown and b"loss 1" not in shown:  # of the first steps
        shown += os.read(terminal, 1000)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 129
    path = checkpoints.latest(out / "checkpoints")
    assert checkpoints.read(path).step > 0
    assert not (out / "run.lock").exists()
    assert not any(files.is_temporary(file.name) for file in out.rglob("*"))


def test_time_left_is_shown_from_the_tenth_step(capsys, monkeypatch):
    clock = iter(range(100, 10_000, 2))  # two seconds per step
    monkeypatch.setattr("kerasseg.cli.progress.time.monotonic", lambda: next(clock))
    with Progress() as progress:
        progress.update({"kind": "begin", "step": 0, "steps": 100})
        for step in range(1, 13):
            numbers = {"loss": 0.5, "epoch": 1, "images_per_s": 3.0}
            progress.update({"kind": "step", "step": step, **numbers})
    lines = [x for x in capsys.readouterr().out.splitlines() if "left" in x]
    assert len(lines) == 1
    assert re.search(r"step +10 of 100 .*left 0:0[3-9]:", lines[0])
