"""Ctrl-C, SIGTERM and SIGHUP between two steps instead of inside one."""

import contextlib
import signal
import threading


class Interrupted(KeyboardInterrupt):
    """The stop of a run by a signal, after saving; the message says how to resume.

    Attributes:
        signal: number of the signal: SIGINT (Ctrl-C), SIGTERM, or SIGHUP (the terminal
            was closed).
    """

    def __init__(self, message, number=signal.SIGINT):
        super().__init__(message)
        self.signal = int(number)


class SignalHandler:
    """Handler that notes the first signal and raises KeyboardInterrupt at the second.

    Attributes:
        received: number of the first signal, or None.
        repeated: whether a second one came, which may have hit anything half done.
    """

    def __init__(self):
        self.received, self.repeated = None, False
        self._waits = True

    def __call__(self, number, frame):
        self.repeated = self.received is not None
        self.received = self.received or number
        if self.repeated or not self._waits:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def at_once(self):
        """Raise at the first signal, too: validations are long and change nothing."""
        if self.received:
            raise KeyboardInterrupt
        self._waits = False
        try:
            yield
        finally:
            self._waits = True


@contextlib.contextmanager
def deferred():
    """Hold the signals that ask to stop back while a step runs.

    Signals that others handle, or ignore, are left to them.

    Yields:
        SignalHandler.
    """
    handler, replaced = SignalHandler(), {}
    # Python sets signal handlers in the main thread only.
    if threading.current_thread() is threading.main_thread():
        for number, usual in (
            (signal.SIGINT, signal.default_int_handler),
            (signal.SIGTERM, signal.SIG_DFL),
            # Ignored under `nohup`, and then left so; not known to Windows.
            (getattr(signal, "SIGHUP", signal.SIGTERM), signal.SIG_DFL),
        ):
            if signal.getsignal(number) == usual:
                replaced[number] = signal.signal(number, handler)
    try:
        yield handler
    finally:
        for number, usual in replaced.items():
            signal.signal(number, usual)
