"""Commands that are started again after a crash."""

import os
import signal
import sys
import threading
import time

import pytest

from kerasseg.cli import main, restarts

# Each start adds a letter to the file of the first argument, and then ends as the
# letter of the second argument at that place says.
SCRIPT = """
import os, pathlib, signal, sys, time
path, ends = pathlib.Path(sys.argv[1]), sys.argv[2]
with path.open("a") as file:
    file.write("x")
end = ends[len(path.read_text()) - 1]
if end == "k":
    os.kill(os.getpid(), signal.SIGKILL)
if end == "w":
    def stop(number, frame):
        sys.exit(128 + number)
    signal.signal(signal.SIGTERM, stop)
    path.with_suffix(".ready").touch()
    time.sleep(30)
sys.exit({"0": 0, "1": 1, "2": 2, "l": 75, "r": 65, "c": 130}[end])
"""


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Function of how starts end, and of the most starts -> exit code, and starts."""
    monkeypatch.setattr(restarts, "PAUSE_S", 0.01)
    monkeypatch.setattr(restarts, "WATCHED", (sys.executable, "-c", SCRIPT))
    path = tmp_path / "starts"

    def run(ends, most):
        code = restarts.supervise([str(path), ends], most)
        return code, len(path.read_text())

    run.path = path
    return run


@pytest.mark.parametrize(
    ("ends", "most", "code", "starts"),
    [
        ("0", 3, 0, 1),
        ("k0", 3, 0, 2),
        ("lk10", 3, 0, 4),
        ("kkk", 2, 137, 3),
        ("ll", 1, 75, 2),
        ("r", 3, 1, 1),  # refused, so it would be refused again
        ("kr", 3, 1, 2),
        ("2", 3, 2, 1),
        ("c", 3, 130, 1),
    ],
)
def test_only_crashes_are_started_again(start, capfd, ends, most, code, starts):
    assert start(ends, most) == (code, starts)
    said = capfd.readouterr().err
    assert said.count("Starting it again") == starts - 1
    assert (f"({starts - 1} of {most})" in said) == (starts > 1)


def test_what_a_user_stops_stays_stopped(start):
    ready, before = start.path.with_suffix(".ready"), signal.getsignal(signal.SIGTERM)

    def stop():
        for _ in range(2000):
            if ready.exists():
                os.kill(os.getpid(), signal.SIGTERM)
                return
            time.sleep(0.01)

    stopper = threading.Thread(target=stop)
    stopper.start()
    assert start("w0", 3) == (143, 1)
    stopper.join()
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_command_watches_itself(monkeypatch):
    seen = []
    monkeypatch.setattr(restarts, "_watch", lambda *args: seen.append(args) or (0, 0))
    assert main(["train", "--restarts", "2", "--out", "there"]) == 0
    ((command,),) = seen
    assert command[:3] == list(restarts.WATCHED)
    assert command[-2:] == ["--restarts", "0"] and "there" in command


def test_a_lost_worker_is_told_in_words(monkeypatch):
    class UnavailableError(Exception):
        pass

    class Errors:
        AbortedError = UnavailableError

    Errors.UnavailableError = UnavailableError
    module = type(sys)("tensorflow")
    module.errors = Errors
    monkeypatch.setitem(sys.modules, "tensorflow", module)
    lost = pytest.raises(restarts.WorkerLost, match="--restarts N")
    with lost, restarts.told_of_loss():
        raise UnavailableError("Collective ops is aborted by: ...")
    with pytest.raises(KeyError), restarts.told_of_loss():
        raise KeyError


def test_a_refusal_is_told_from_a_crash():
    codes = [restarts.as_watched(code) for code in (0, 1, 2, 75, 130)]
    assert codes == [0, restarts.REFUSED, 2, 75, 130]


def test_a_negative_number_of_starts_is_refused(capsys):
    assert main(["train", "--restarts", "-1"]) == 1
    assert "--restarts must be 0 or more" in capsys.readouterr().err
