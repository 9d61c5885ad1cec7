"""Scripts of this folder in processes of their own."""

import json
import os
import pathlib
import subprocess
import sys


def start_child(script, *arguments, **environment):
    """Run a script of this folder in a process of its own; return what it printed."""
    folder = pathlib.Path(__file__).parent
    paths = [str(folder.parents[1]), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, folder / script, *map(str, arguments)],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            **environment,
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def run_child(script, *arguments, **environment):
    """The JSON that such a script prints as its last line."""
    printed = start_child(script, *arguments, **environment)
    return json.loads(printed.splitlines()[-1])
