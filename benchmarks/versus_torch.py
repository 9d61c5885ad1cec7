"""U-Net base 16, 256x256: kerasseg, as in a notebook, against PyTorch, interleaved.

PyTorch lives in an environment of its own (pip install torch==2.13.0). Inference is
that of `predict`, class ids included. Run:
python -m benchmarks.versus_torch ENVIRONMENT/bin/python [--batch 8] [--repeats 9]
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import time

import numpy as np

from benchmarks.record import record
from kerasseg import machine

WORKER = pathlib.Path(__file__).with_name("torch_worker.py")
KINDS = ("training", "inference")
MODEL, SIDE = "unet_base16", 256


class Worker:
    """Process that measures something for each line that it is sent.

    It prints a number when it is ready, then CPU and wall seconds for each line.
    """

    def __init__(self, command, variables=None):
        self.process = subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **(variables or {})},
        )
        self.parameters = int(self.process.stdout.readline())

    def __call__(self, kind):
        self.process.stdin.write(f"{kind}\n")
        self.process.stdin.flush()
        return tuple(map(float, self.process.stdout.readline().split()))

    def close(self):
        """End the process."""
        self.process.stdin.close()
        self.process.wait()


class Torch(Worker):
    """Worker that runs one batch of the PyTorch model per call."""

    def __init__(
        self, python, mode, precision="float32", *, model=MODEL, batch=8, side=SIDE
    ):
        super().__init__([python, WORKER, mode, precision, model, batch, side])


class Ours:
    """The same model of kerasseg in this process."""

    def __init__(self, precision, batch):
        import keras

        from kerasseg import zoo
        from kerasseg.predict import forward
        from kerasseg.profiling import benchmark

        keras.config.set_dtype_policy(precision)
        model = zoo.unet(3, base_filters=16)
        keras.config.set_dtype_policy("float32")
        self.parameters = sum(w.numpy().size for w in model.trainable_variables)
        train, _ = benchmark.model_cases(model, 2, size=SIDE, batch_size=batch)[
            "training"
        ]
        run = forward.compiled(model, forward.to_class_ids)
        images = np.random.default_rng(0).integers(0, 256, (batch, SIDE, SIDE, 3))
        images = images.astype("float32")
        self.cases = {"training": train, "inference": lambda: np.asarray(run(images))}

    def __call__(self, kind):
        cpu, wall = time.process_time(), time.perf_counter()
        self.cases[kind]()
        return time.process_time() - cpu, time.perf_counter() - wall


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", help="of the environment with PyTorch")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--batch", type=int, default=8)
    options = parser.parse_args()
    ours = "mixed_bfloat16" if options.precision == "bfloat16" else "float32"
    runners = {
        mode: Torch(options.python, mode, options.precision, batch=options.batch)
        for mode in ("eager", "compile")
    }
    machine.prepare_notebook()
    runners["kerasseg"] = Ours(ours, options.batch)
    times = {(name, kind): [] for name in runners for kind in KINDS}
    for repeat in range(options.repeats + 3):  # compilation and warm-up first
        for kind in KINDS:
            for name, run in runners.items():
                measured = run(kind)
                if repeat >= 3:
                    times[name, kind].append(measured)
    result = {"parameters": {name: run.parameters for name, run in runners.items()}}
    for kind in KINDS:
        for position, clock in enumerate(("cpu", "wall")):
            seconds = {
                name: statistics.median(pair[position] for pair in times[name, kind])
                for name in runners
            }
            result[f"{kind}, {clock} s per batch"] = seconds
            best = min(seconds["eager"], seconds["compile"])
            result[f"{kind}, {clock}, kerasseg / best"] = seconds["kerasseg"] / best
    title = f"{MODEL} against PyTorch, {options.precision}"
    title += ", AVX512" * ("avx512f" in machine.cpu_flags())
    record(title if options.batch == 8 else f"{title}, batch {options.batch}", result)


if __name__ == "__main__":
    main()
