"""Time of oneDNN's operations in a training step of U-Net 64..1024, 8x256x256.

Run: python -m benchmarks.operators

What TensorFlow computes beside oneDNN (losses, optimizer, joins) is not among them.
Operations that run at the same time each count as long as they took.
"""

import collections
import os
import subprocess
import sys

from benchmarks.record import record

STEPS = 3
BEGIN, END = "-- begin", "-- end"


def train():
    """Three steps between two marks, in a process that oneDNN comments on."""
    from kerasseg import zoo
    from kerasseg.profiling import benchmark

    model = zoo.unet(2, base_filters=64)
    step, _ = benchmark.model_cases(model, 2)["training"]
    step(), step()  # traced
    print(BEGIN, flush=True)
    for _ in range(STEPS):
        step()
    print(END, flush=True)


def of_lines(lines):
    """Milliseconds per step of each operation: {"convolution forward_training": ms}."""
    found, counts = collections.Counter(), False
    for line in map(str.strip, lines):
        counts = (counts or line == BEGIN) and line != END
        words = line.split(",")
        if counts and words[0] == "onednn_verbose" and "exec" in words:
            at = words.index("exec")  # engine, operation, implementation, direction
            found[f"{words[at + 2]} {words[at + 4]}"] += float(words[-1]) / STEPS
    return dict(found.most_common())


def main():
    if sys.argv[1:] == ["--train"]:
        return train()
    command = [sys.executable, "-m", "benchmarks.operators", "--train"]
    flags = {"ONEDNN_VERBOSE": "1", "TF_ENABLE_ONEDNN_OPTS": "1"}
    told = subprocess.run(
        command, env={**os.environ, **flags}, stdout=subprocess.PIPE, text=True
    )
    told.check_returncode()
    found = of_lines(told.stdout.splitlines())
    total = sum(found.values())
    shares = {name: ms / total for name, ms in found.items()}
    record("operators of unet 64..1024", {"ms_per_step": found, "shares": shares})


if __name__ == "__main__":
    main()
