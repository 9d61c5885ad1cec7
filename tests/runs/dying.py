"""Stand-ins for the calls of the system that write, of which one is the last."""

import builtins
import errno
import io
import os
import pathlib
import signal
import unittest.mock

CALLS = ("open", "write", "fsync", "replace", "rename", "unlink", "mkdir", "ftruncate")


class File:
    """A file that is written in two halves."""

    def __init__(self, file, tick):
        self._file, self._tick = file, tick

    def write(self, data):
        half = len(data) // 2
        self._file.write(data[:half])
        self._file.flush()
        self._tick("write")
        return half + self._file.write(data[half:])

    def writelines(self, parts):
        for part in parts:
            self.write(part)

    def __getattr__(self, name):
        return getattr(self._file, name)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._file.close()


def patched(tick):
    """Context in which every call that writes calls `tick` first."""

    def wrap(name):
        function = getattr(os, name)

        def call(*arguments, **options):
            tick(name)
            return function(*arguments, **options)

        return call

    def open_file(path, mode="r", *arguments, **options):
        if not set(mode) & set("wax+"):
            return plain_open(path, mode, *arguments, **options)
        tick("open")
        file = plain_open(path, mode, *arguments, **options)
        try:
            tick("write")  # it is there now, and empty
        except BaseException:
            file.close()
            raise
        return File(file, tick)

    plain_open, stack = io.open, unittest.mock.patch.multiple
    wrapped = {name: wrap(name) for name in CALLS}
    return (
        stack(os, **wrapped),
        stack(io, open=open_file),
        stack(builtins, open=open_file),
    )


def call(function, tick):
    """Call a function with every call that writes watched by `tick`."""
    first, second, third = patched(tick)
    with first, second, third:
        return function()


def count_calls(function):
    """Number of calls that write."""
    ticks = []
    call(function, lambda name: ticks.append(name))
    return len(ticks)


def run(function, out, number):
    """Call function(out), and be killed at this one of its calls that write."""
    left = number

    def tick(name):
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    call(lambda: function(out), tick)


def run_on_a_full_disk(function, out, number):
    """Call function(out) on a disk that is full from this call on; True if it stops.

    Deleting files still works, as it does on a full disk.
    """
    left = number

    def tick(name):
        nonlocal left
        left -= 1
        if left <= 0 and name != "unlink":
            raise OSError(errno.ENOSPC, "No space left on device")

    try:
        call(lambda: function(out), tick)
    except OSError as error:
        assert "No space left" in str(error) and str(pathlib.Path(out)) in str(error)
        return True
    return False
