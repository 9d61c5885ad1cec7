"""Silence about TensorFlow's start, oneDNN, CUDA, Ray's restarts, and closed pipes.

TensorFlow 2.21 writes them from C++ before TF_CPP_MIN_LOG_LEVEL or others count.
"""

import atexit
import contextlib
import os
import re
import select
import signal
import sys
import threading
import time

CHATTER = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog"
    rb"|WARNING:absl:"
    rb"|[IW]\d{4} \d\d:\d\d:"
    rb"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IW] "
    rb"|To enable the following instructions: "
    # Errors that stop nothing: no GPU, a library registered twice, an operation that
    # another one replaces.
    rb"|.*: E .*(cuda_platform|cuInit|cuda_dnn|cuda_fft|cuda_blas|oneDNN supports)"
    rb"|\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ [IWE] \d+ \d+\] "  # of Ray
    # Of every .webm that OpenCV writes, right as it is.
    rb"|OpenCV: FFMPEG: tag "
    rb"|E\d{4} .*(cuda_platform|cuInit|cuda_dnn|cuda_fft|cuda_blas|oneDNN supports)"
)
MOST_WAITING_S = 1.0
READER_LEFT = 141  # 128 + SIGPIPE, as shells report it


def flush():
    """Write what was printed; a BrokenPipeError if its reader has left."""
    if sys.stdout is not None:  # `>&-`
        sys.stdout.flush()


def has_no_reader():
    """Whether stdout is a pipe whose reader has left, on a system that tells."""
    try:
        pipe = select.poll()
        pipe.register(sys.stdout.fileno(), 0)
    except (AttributeError, OSError, ValueError):  # Windows, or no file
        return False
    return any(event & select.POLLERR for _, event in pipe.poll(0))


def leave():
    """Print nothing any more, as `| head` wants; returns the exit code."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return READER_LEFT


class WithoutRay:
    """A text stream without the paragraphs that Ray 2.60 prints about dead workers.

    It prints them to stdout, from a thread of its own, whatever its settings. One line
    on stderr says instead that a worker died.

    Args:
        stream: where all else goes.
    """

    def __init__(self, stream):
        self._stream = stream

    def write(self, text):
        """Write a text, unless it is Ray's."""
        if threading.current_thread().name != "ray_listen_error_messages":
            return self._stream.write(text)
        if "died or was killed" in text:
            print("kerasseg: a worker died; another one goes on.", file=sys.stderr)
        return len(text)

    def __getattr__(self, name):
        return getattr(self._stream, name)


def filter_errors():
    """Pass what this process writes to stderr through a filter, until it ends.

    The filter is a process of its own, so that the last words of a crash get out.
    """
    if not hasattr(os, "fork"):  # Windows
        return
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the command
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.close(writing)
        os.close(1)
        with contextlib.suppress(OSError):  # whoever reads stderr has left
            _forward(reading)
        os._exit(0)
    os.close(reading)
    kept = os.dup(2)
    os.dup2(writing, 2)
    os.close(writing)
    atexit.register(_end, child, kept)


def _forward(reading):
    """Copy lines but chatter from a pipe to stderr, also the beginning of a line."""
    rest = b""
    while data := os.read(reading, 1 << 16):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            if not CHATTER.match(line):
                os.write(2, line + b"\n")
    if rest and not CHATTER.match(rest):
        os.write(2, rest)


def _end(child, kept):
    """Give stderr back, and wait for the last lines."""
    sys.stderr.flush()
    os.dup2(kept, 2)
    end = time.monotonic() + MOST_WAITING_S
    # Processes that this one has started may hold the pipe open for longer.
    while time.monotonic() < end and os.waitpid(child, os.WNOHANG)[0] == 0:
        time.sleep(0.01)
