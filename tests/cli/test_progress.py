"""The progress of a training on terminals that go away."""

import os
import pty
import sys

import pytest

from kerasseg import files
from kerasseg.cli.progress import Progress
from kerasseg.training import checkpoints

BEGIN = {"kind": "begin", "step": 0, "steps": 9}
STEP = {"kind": "step", "step": 1, "loss": 0.5, "epoch": 1, "images_per_s": 1.0}


def test_a_log_on_a_full_disk_does_not_stop_the_training(monkeypatch):
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        with Progress() as progress:
            for event in ({"kind": "device", "text": "CPU"}, BEGIN, STEP):
                progress.update(event)
        monkeypatch.undo()
        with pytest.raises(OSError):
            full.close()


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
