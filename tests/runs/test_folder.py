"""Run folders: killed at every call of the system that writes, torn, of others."""

import functools
import json
import os
import shutil
import signal

import numpy as np
import pytest

from kerasseg import recipes, runs
from kerasseg.cli import main
from kerasseg.runs import folder
from kerasseg.training import checkpoints, run_files, run_lock
from kerasseg.training.history import History
from tests.runs import dying
from tests.runs.small import SETTINGS
from tests.training import forks

FACTS = {"classes": ["a", "b"], "channels": 3, "samples": "2 names", "root": None}


class Weights:
    """A variable of four numbers, and a model that has it, without TensorFlow."""

    def __init__(self):
        self.value = np.zeros(4)
        self.dtype, self.shape = self.value.dtype, self.value.shape

    def numpy(self):
        return self.value

    def assign(self, value):
        self.value = np.array(value)

    @property
    def weights(self):
        return [self]

    def save_weights(self, path):
        with open(path, "wb") as file:
            file.write(self.value.tobytes())


def train(out):
    """Everything that a run of three steps writes, in its order; resumes as a run does.

    `runs.train` and `training.fit` call the same functions.
    """
    recipe, weights = recipes.read(), Weights()
    out = folder.choose_folder(out, recipe, "run")
    with run_lock.held(out):
        folder.write_start(out, recipe, FACTS)
        files = run_files.RunFiles(run_files.RunFolder(out), True)
        found = files.load_checkpoint({"weights": weights})
        begin = files.saved_step or 0
        num_rows = files.truncate_history(begin, found and found[1]["rows"])
        for step in range(begin + 1, 4):
            weights.value = weights.value * 2 + step
            if step % 2 == 0:
                files.save_best_weights(weights)
            files.append_row({"step": step})
            num_rows += 1
            files.save_checkpoint(step, {"weights": weights}, {"rows": num_rows})


def state(out):
    """Everything in a run folder, and nothing else may be there."""
    newest = checkpoints.read(checkpoints.latest(out / "checkpoints"))
    return {
        "names": sorted(str(path.relative_to(out)) for path in out.rglob("*")),
        "weights": newest.arrays["weights"].tolist(),
        "rows": History(out / "history.jsonl").rows(),
        **{
            name: (out / name).read_bytes()
            for name in ("recipe.toml", "run.json", "best.weights.h5")
        },
    }


@pytest.fixture
def fast_disk(monkeypatch):
    """No waiting for the disk, which kills do not need."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.mark.slow
@pytest.mark.usefixtures("fast_disk")
def test_a_run_killed_at_any_call_that_writes_goes_on_to_the_same_end(tmp_path):
    count = dying.count_calls(lambda: train(tmp_path / "whole"))
    whole = state(tmp_path / "whole")
    assert count > 60 and whole["weights"] == [11.0] * 4  # (1*2+2)*2+3
    for number in range(1, count + 1):
        out = tmp_path / str(number)
        for again in (False, True)[: 1 + (number % 5 == 0)]:
            code = forks.run(functools.partial(dying.run, train, out, number))
            assert code == -signal.SIGKILL or again
        train(out)
        assert state(out) == whole, number


@pytest.mark.usefixtures("fast_disk")
def test_a_disk_that_is_full_at_any_call_and_emptied_again_changes_nothing(tmp_path):
    count = dying.count_calls(lambda: train(tmp_path / "whole"))
    whole = state(tmp_path / "whole")
    for number in range(1, count + 1, 2):
        out = tmp_path / str(number)
        assert dying.run_on_a_full_disk(train, out, number) or number > count - 4
        train(out)
        assert state(out) == whole, number


@pytest.mark.parametrize("name", ["recipe.toml", "run.json"])
@pytest.mark.parametrize("content", [b"", b"\0\0\0", b"{[", b"\xff\xfe", b"{}"])
def test_a_torn_file_is_named_with_its_remedy_and_the_remedy_helps(
    tmp_path, name, content
):
    train(tmp_path)
    whole = state(tmp_path)
    (tmp_path / name).write_bytes(content)
    for use in (train, folder.load):
        with pytest.raises(runs.RunError, match=rf"{name} must .*Delete this one"):
            use(tmp_path)
    (tmp_path / name).unlink()
    train(tmp_path)
    assert state(tmp_path) == whole


def test_torn_weights_are_named_with_their_remedy(tmp_path, capsys):
    train(tmp_path)
    for content in (b"", b"\x89HDF\r\n\x1a\n cut off"):
        (tmp_path / "best.weights.h5").write_bytes(content)
        assert main(["evaluate", "--run", str(tmp_path)]) == 1
        message = capsys.readouterr().err
        assert "best.weights.h5 must hold" in message and "Delete" in message


def test_files_that_have_not_changed_are_left_alone(tmp_path):
    train(tmp_path)
    names = ("recipe.toml", "run.json")
    before = [(tmp_path / name).stat().st_ino for name in names]
    train(tmp_path)
    assert [(tmp_path / name).stat().st_ino for name in names] == before
    with run_lock.held(tmp_path):
        folder.write_start(tmp_path, recipes.read(), {**FACTS, "root": "/moved"})
    assert json.loads((tmp_path / "run.json").read_text())["root"] == "/moved"


def test_the_second_of_two_commands_is_told_and_the_first_goes_on(tmp_path, capsys):
    (reader, ready), out = os.pipe(), tmp_path / "run"
    (wait, end) = os.pipe()

    def first():
        with run_lock.held(out):
            folder.write_start(out, recipes.read(), FACTS)
            os.write(ready, b"x")
            os.read(wait, 1)
            train(out)

    child = forks.start(first)
    os.read(reader, 1)
    assert main(["train", "--out", str(out)]) == 1
    assert f"is in use by process {child}" in capsys.readouterr().err
    os.write(end, b"x")
    assert forks.wait(child) == 0
    train(tmp_path / "whole")
    assert state(out) == state(tmp_path / "whole")


def test_a_folder_that_is_no_run_is_named_with_the_fix(tmp_path, capsys):
    assert main(["evaluate", "--run", str(tmp_path)]) == 1
    assert "best.weights.h5" in capsys.readouterr().err


def test_a_second_run_gets_a_number_and_a_crashed_one_goes_on(run, tmp_path):
    recipe = recipes.read(run / "recipe.toml")
    assert folder.choose_folder(None, recipe, "never") == folder.RUNS / "never"
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    shutil.copy(run / "recipe.toml", crashed)
    assert folder.choose_folder(crashed, recipe, "x") == crashed
    recipe["loss"] = recipe["loss"][:1]
    with pytest.raises(runs.RunError, match=r"\[loss\] name: 'Dice' there, None now"):
        folder.choose_folder(crashed, recipe, "x")


def test_a_folder_with_other_files_is_not_written_to(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("precious")
    assert main(["train", "--out", str(tmp_path), *SETTINGS]) == 1
    assert "other files" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_the_newest_run_is_the_default(run, monkeypatch):
    monkeypatch.setattr(runs.folder, "RUNS", run.parent)
    assert runs.find() == run
