"""The lock of a run folder."""

import errno
import fcntl
import json
import os
import pathlib
import platform
import signal
import sys
import types

import pytest

from kerasseg.training import fitting, run_lock
from tests.training import forks
from tests.training import training_cases as cases


def in_another_process(folder):
    """Exit code of a process that takes the lock: 3 if it is told who has it."""

    def take():
        try:
            with run_lock.held(folder):
                pass
        except run_lock.FolderInUseError as error:
            assert f"process {os.getppid()} on {platform.node()}" in str(error)
            assert "--out" in str(error) and str(folder / "run.lock") in str(error)
            raise SystemExit(3) from None

    return forks.run(take)


@pytest.fixture
def no_locks(monkeypatch):
    """A file system that has no locks, as some network disks."""

    def flock(handle, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(run_lock.fcntl, "flock", flock)


@pytest.fixture
def windows(monkeypatch):
    """msvcrt's locks of bytes, by those of POSIX, and an open file cannot be deleted.

    A stand-in: locks of one byte far behind the content, which others can read, that
    end when the process does and raise PermissionError where they are taken.
    """

    def locking(handle, mode, num):
        assert mode == module.LK_NBLCK
        assert num == 1 and os.lseek(handle, 0, os.SEEK_CUR) > 1000
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PermissionError(13, "Permission denied") from None

    def refuse(path, missing_ok=False):
        if held.get(str(path)) == os.getpid():
            raise PermissionError(13, "used by another process", str(path))
        unlink(path, missing_ok)

    def open_file(path, *arguments):
        handle = plain_open(path, *arguments)
        held[str(path)] = os.getpid()
        handles[handle] = str(path)
        return handle

    def close(handle):
        held.pop(handles.pop(handle, None), None)
        plain_close(handle)

    held, handles, unlink = {}, {}, pathlib.Path.unlink
    plain_open, plain_close = os.open, os.close
    module = types.SimpleNamespace(LK_NBLCK=2, locking=locking)
    monkeypatch.setitem(sys.modules, "msvcrt", module)
    monkeypatch.setattr(run_lock, "fcntl", None)
    monkeypatch.setattr(pathlib.Path, "unlink", refuse)
    monkeypatch.setattr(os, "open", open_file)
    monkeypatch.setattr(os, "close", close)


@pytest.mark.usefixtures("windows")
def test_on_windows_a_second_process_is_told_and_the_lock_goes_with_its_holder(
    tmp_path,
):
    with run_lock.held(tmp_path):
        with run_lock.held(tmp_path):
            pass
        assert json.loads((tmp_path / "run.lock").read_text())["process"] == os.getpid()
        assert in_another_process(tmp_path) == 3
    assert in_another_process(tmp_path) == 0
    assert not (tmp_path / "run.lock").exists()

    def die():
        with run_lock.held(tmp_path):
            os.kill(os.getpid(), signal.SIGKILL)

    assert forks.run(die) == -signal.SIGKILL
    assert in_another_process(tmp_path) == 0


def write(folder, **changes):
    """A lock as this process would write it, but for some changes."""
    (folder / "run.lock").write_text(json.dumps({**run_lock._own(), **changes}))


def test_the_lock_says_who_and_since_when_and_goes(tmp_path):
    with run_lock.held(tmp_path / "run"):
        content = json.loads((tmp_path / "run/run.lock").read_text())
        assert (content["host"], content["process"]) == (platform.node(), os.getpid())
        assert content["since"].endswith("+00:00")
    assert not list((tmp_path / "run").iterdir())


def test_a_second_process_is_told_and_harms_nothing(tmp_path):
    with run_lock.held(tmp_path):
        before = (tmp_path / "run.lock").read_text()
        assert in_another_process(tmp_path) == 3
        assert (tmp_path / "run.lock").read_text() == before
        assert in_another_process(tmp_path) == 3
    assert in_another_process(tmp_path) == 0


def test_the_holder_may_take_it_again(tmp_path):
    with run_lock.held(tmp_path):
        with run_lock.held(tmp_path):
            pass
        assert in_another_process(tmp_path) == 3


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    def die():
        with run_lock.held(tmp_path):
            os.kill(os.getpid(), signal.SIGKILL)

    assert forks.run(die) == -signal.SIGKILL
    assert (tmp_path / "run.lock").exists()
    with run_lock.held(tmp_path):
        assert json.loads((tmp_path / "run.lock").read_text())["process"] == os.getpid()


def test_a_fork_that_outlives_the_holder_does_not_keep_the_lock(tmp_path):
    reader, writer = os.pipe()

    def hold():
        with run_lock.held(tmp_path):
            forks.start(lambda: os.read(reader, 1))
            os.kill(os.getpid(), signal.SIGKILL)

    assert forks.run(hold) == -signal.SIGKILL
    with run_lock.held(tmp_path):
        assert in_another_process(tmp_path) == 3
    os.write(writer, b"x")


def test_what_a_killed_run_was_writing_is_removed(tmp_path):
    rubbish = [tmp_path / ".writing-run.json", tmp_path / "checkpoints/.writing-a"]
    rubbish[1].parent.mkdir()
    for path in rubbish:
        path.touch()
    with run_lock.held(tmp_path):
        assert not any(path.exists() for path in rubbish)


@pytest.mark.usefixtures("no_locks")
def test_without_locks_of_the_system_the_file_is_the_lock(tmp_path):
    with run_lock.held(tmp_path):
        with run_lock.held(tmp_path):
            pass
        assert in_another_process(tmp_path) == 3
    assert in_another_process(tmp_path) == 0


@pytest.mark.usefixtures("no_locks")
@pytest.mark.parametrize("changes", [{"process": 2**22 + 1}, {"started": 1}])
def test_without_locks_a_process_that_is_gone_holds_nothing(tmp_path, changes):
    write(tmp_path, **changes)  # the number may be another process's by now
    assert in_another_process(tmp_path) == 0


@pytest.mark.usefixtures("no_locks")
def test_without_locks_another_host_is_believed(tmp_path):
    write(tmp_path, host="elsewhere")
    with pytest.raises(run_lock.FolderInUseError, match=r"on elsewhere.*delete"):
        run_lock.held(tmp_path).__enter__()


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"process": "x"}'])
def test_any_content_of_a_free_lock_is_overwritten(tmp_path, content):
    (tmp_path / "run.lock").write_text(content)
    assert in_another_process(tmp_path) == 0


def test_a_run_is_refused_while_another_process_trains_in_its_folder(tmp_path):
    child, go = holding(tmp_path)
    with pytest.raises(run_lock.FolderInUseError, match=f"process {child} on"):
        cases.fit(cases.make_step(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["run.lock"]
    go()
    assert cases.fit(cases.make_step(), tmp_path).step == 12
    assert not (tmp_path / "run.lock").exists()


def test_the_other_workers_of_a_run_need_no_lock(tmp_path, monkeypatch):
    _, go = holding(tmp_path)
    monkeypatch.setattr(fitting, "is_first_worker", lambda strategy: False)
    assert cases.fit(cases.make_step(), tmp_path).step == 12
    go()


def holding(folder):
    """A process that holds the lock, and a function that ends it."""
    (ready, begun), (wait, end) = os.pipe(), os.pipe()

    def hold():
        with run_lock.held(folder):
            os.write(begun, b"x")
            os.read(wait, 1)

    child = forks.start(hold)
    os.read(ready, 1)

    def go():
        os.write(end, b"x")
        assert forks.wait(child) == 0

    return child, go
