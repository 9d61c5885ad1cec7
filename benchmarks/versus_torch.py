"""U-Net base 16, 256x256, batch 8: kerasseg against PyTorch, steps interleaved.

PyTorch lives in an environment of its own (pip install torch==2.13.0).
Run: python -m benchmarks.versus_torch ENVIRONMENT/bin/python [--repeats 9]
"""

import argparse
import pathlib
import statistics
import subprocess
import time

from benchmarks.record import record

WORKER = pathlib.Path(__file__).with_name("torch_worker.py")
KINDS = ("training", "inference")


class Torch:
    """Worker process that runs one batch of the PyTorch model per call."""

    def __init__(self, python, mode, precision):
        self.process = subprocess.Popen(
            [python, WORKER, mode, precision],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.parameters = int(self.process.stdout.readline())

    def __call__(self, kind):
        self.process.stdin.write(f"{kind}\n")
        self.process.stdin.flush()
        return tuple(map(float, self.process.stdout.readline().split()))


class Ours:
    """The same model of kerasseg in this process."""

    def __init__(self, precision):
        import keras

        from kerasseg import zoo
        from kerasseg.profiling import benchmark

        keras.config.set_dtype_policy(precision)
        model = zoo.unet(2, base_filters=16)
        keras.config.set_dtype_policy("float32")
        self.parameters = sum(w.numpy().size for w in model.trainable_variables)
        self.cases = benchmark.model_cases(model, 2)

    def __call__(self, kind):
        cpu, wall = time.process_time(), time.perf_counter()
        self.cases[kind][0]()
        return time.process_time() - cpu, time.perf_counter() - wall


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", help="of the environment with PyTorch")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--precision", default="float32")
    options = parser.parse_args()
    ours = "mixed_bfloat16" if options.precision == "bfloat16" else "float32"
    runners = {
        mode: Torch(options.python, mode, options.precision)
        for mode in ("eager", "compile")
    }
    runners["kerasseg"] = Ours(ours)
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
    record(f"unet_base16 against PyTorch, {options.precision}", result)


if __name__ == "__main__":
    main()
