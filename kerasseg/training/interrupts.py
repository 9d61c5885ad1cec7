"""Ctrl-C between two steps instead of inside one."""

import contextlib
import signal
import threading


class Interrupt:
    """Notes the first Ctrl-C and lets the second through."""

    def __init__(self):
        self.received = False
        self._waits = True

    def __call__(self, number, frame):
        if self.received or not self._waits:
            raise KeyboardInterrupt
        self.received = True

    @contextlib.contextmanager
    def at_once(self):
        """Let the first Ctrl-C through: validations are long and change nothing."""
        if self.received:
            raise KeyboardInterrupt
        self._waits = False
        try:
            yield
        finally:
            self._waits = True


@contextlib.contextmanager
def deferred():
    """Hold Ctrl-C back while a step runs, where Python's own handler is in place."""
    interrupt = Interrupt()
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGINT) != signal.default_int_handler:
        yield interrupt
        return
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
