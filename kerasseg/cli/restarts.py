"""Trainings that are started again after a crash, or after another worker was lost.

`kerasseg train --restarts N` runs the training in a process of its own and watches it.
What a training refuses, and what a user stops, ends as without; a process that was
killed, that crashed or that lost another worker begins again, from its checkpoint. With
one such command per machine a group of workers forms again by itself.
"""

import contextlib
import signal
import subprocess
import sys
import time

PAUSE_S = 5.0  # in which the others notice, and a port becomes free
LOST = 75  # EX_TEMPFAIL in sysexits.h: again, it may work
# Exit code 1 of a watched process; Python and TensorFlow end by 1 when they crash.
REFUSED = 65
STOPPING = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)  # not all of them on Windows
]
# The command that is watched, before its arguments.
WATCHED = (
    sys.executable,
    "-c",
    "from kerasseg.cli import main, restarts; exit(restarts.as_watched(main()))",
)


class WorkerLost(RuntimeError):
    """A training of several workers that has lost one."""


@contextlib.contextmanager
def told_of_loss():
    """Tell of a lost worker in words, not by TensorFlow's trace."""
    try:
        yield
    except Exception as error:
        if "tensorflow" not in sys.modules:
            raise
        from tensorflow import errors

        if not isinstance(error, (errors.UnavailableError, errors.AbortedError)):
            raise
        raise WorkerLost(
            "Another worker of this training was lost. Fix: start all workers again, "
            "the run goes on from its last checkpoint; --restarts N does so by itself."
        ) from error


def add_argument(command):
    """Add the argument `--restarts` to the parser of `kerasseg train`."""
    command.add_argument(
        "--restarts",
        type=int,
        default=0,
        metavar="N",
        help="after a crash, or the loss of another worker, go on from the last "
        "checkpoint, N times at most",
    )


def supervise(argv, most):
    """Run `kerasseg ARGV` in a process of its own, again after each crash.

    Args:
        argv: arguments of the command line, `--restarts` among them.
        most: how many times it may be started again, at least 1.

    Returns:
        Exit code of the last start; of one that a signal ended, 128 + signal.
    """
    command = [*WATCHED, *argv, "--restarts", "0"]
    for number in range(1, most + 2):
        code, is_stopped = _watch(command)
        crashed = code < 0 or code in (1, LOST)
        if is_stopped or not crashed or number > most:
            break
        why = f"signal {-code}" if code < 0 else f"exit code {code}"
        print(
            f"kerasseg: The training ended by {why}. Starting it again in "
            f"{PAUSE_S:g} s ({number} of {most}).",
            file=sys.stderr,
            flush=True,
        )
        try:
            time.sleep(PAUSE_S)
        except KeyboardInterrupt:
            return 128 + signal.SIGINT
    return 1 if code == REFUSED else 128 - code if code < 0 else code


def _watch(command):
    """Exit code of a process, minus a signal, and whether the user has stopped it."""
    stopped, process = [], None

    def pass_on(number, frame):
        stopped.append(number)
        if process is not None:
            process.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in STOPPING}
    try:
        # In a session of its own Ctrl-C reaches it through `pass_on` only, once.
        process = subprocess.Popen(command, start_new_session=True)
        if stopped:
            process.send_signal(stopped[-1])
        return process.wait(), bool(stopped)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def as_watched(code):
    """Exit code of a watched process for that of the command."""
    return REFUSED if code == 1 else code
