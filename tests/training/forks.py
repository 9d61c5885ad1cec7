"""Forks of a process that has imported TensorFlow, but has not used it yet.

Importing TensorFlow costs 5 to 10 seconds, and every run needs a process of its own.
"""

import os
import sys
import traceback


def start(function):
    """Call a function in a fork; return the fork's process id."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        function()
        code = 0
    except SystemExit as stop:
        code = stop.code or 0
    except BaseException:  # whatever it is, the fork must not go on as its parent
        traceback.print_exc()
    finally:
        os._exit(code)


def wait(child):
    """Wait for a fork; return its exit code, or minus the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run(function):
    """Call a function in a fork and wait for it; return its exit code, likewise."""
    return wait(start(function))
