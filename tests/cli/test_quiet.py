"""Lines that the filter of stderr lets through."""

import os
import subprocess
import sys
import threading

import pytest

from kerasseg.cli import look_around, main, quiet

CODE = """
import os, sys
from kerasseg.cli import quiet
quiet.filter_errors()
lines = [
    "WARNING: All log messages before absl::InitializeLog() is called are written",
    "I0000 00:00:1795957836.293407    2649 port.cc:153] oneDNN operations are on",
    "E0000 00:00:1795957842.811600    2649 cuda_platform.cc:52] failed call to cuInit",
    "2026-01-01 10:00:00.123456: I tensorflow/core/platform/cpu_feature_guard.cc:210]",
    "2026-01-01 10:00:00.12: E tensorflow/core/util/util.cc:131] oneDNN supports DT",
    "[2026-11-30 12:02:07,900 E 2194 2194] core_worker.cc:2465: Actor with class",
    "F0000 00:00:1795957842.811600    2649 tensor.cc:1] Check failed: x",
    "kerasseg: an error",
]
os.write(2, "\\n".join(lines).encode() + b"\\n")
print("a warning", file=sys.stderr)
os.write(2, b"the last words")
END
"""


@pytest.mark.parametrize(("end", "code"), [("", 0), ("os.abort()", -6)])
def test_chatter_is_dropped_and_errors_get_out_even_of_a_crash(end, code):
    done = subprocess.run(
        [sys.executable, "-c", CODE.replace("END", end)], capture_output=True, text=True
    )
    assert done.returncode == code
    assert done.stderr.splitlines() == [
        "F0000 00:00:1795957842.811600    2649 tensor.cc:1] Check failed: x",
        "kerasseg: an error",
        "a warning",
        "the last words",
    ]


def test_one_line_stands_for_what_ray_prints_of_a_dead_worker(capsys):
    stream = quiet.WithoutRay(sys.stdout)
    known = {"file": stream, "flush": True}
    print("a bar", **known)
    text = "(raylet) A worker died or was killed while executing a task. To find"
    name = "ray_listen_error_messages"
    thread = threading.Thread(target=print, args=[text], kwargs=known, name=name)
    thread.start()
    thread.join()
    printed = capsys.readouterr()
    assert printed.out == "a bar\n"
    assert printed.err == "kerasseg: a worker died; another one goes on.\n"


def test_a_command_prints_no_chatter():
    command = [sys.executable, "-m", "kerasseg", "info", "unet", "--encoder", "tiny"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""


@pytest.mark.parametrize(("word", "unbuffered"), [("list", "1"), ("--help", "")])
def test_a_command_ends_quietly_when_its_reader_has_left(word, unbuffered):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "kerasseg", word],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_other_broken_pipes_are_errors(monkeypatch, capsys):
    def run(arguments):
        """Fail."""
        raise BrokenPipeError("of a server")

    monkeypatch.setattr(look_around, "list_names", run)
    assert main(["list"]) == 1
    assert capsys.readouterr().err == "kerasseg: of a server\n"
