"""Single images by `predict`, in a process with oneDNN and in one without, in turn.

For processors with AVX2 alone. With --avx2 one with AVX512 does as if it had no more.
Run: python -m benchmarks.one_image [MODEL ...] [--repeats 13] [--avx2]
"""

import argparse
import os
import sys
import time

import numpy as np

from benchmarks import engines
from benchmarks.record import record, recorded
from benchmarks.versus_torch import Worker
from kerasseg import machine, zoo
from kerasseg.predict import forward

# name -> (function that builds the model, size of the image)
MODELS = {
    "unet_base16": (engines.MODELS["unet_base16"][0], (256, 256)),
    "deeplab_v3_plus_lite0": (engines.MODELS["deeplab_v3_plus_lite0"][0], (384, 480)),
    "unet_resnet34": (engines.MODELS["unet_resnet34"][0], (512, 512)),
    "fpn_mobilenet_v2": (lambda: zoo.fpn(21, "mobilenet_v2"), (384, 384)),
}
LIMIT = "ONEDNN_MAX_CPU_ISA"


def serve(name):
    """Predict an image for each line of the input."""
    if LIMIT in os.environ:
        machine.cpu_flags = lambda: {"avx2"}
    build, size = MODELS[name]
    model = build()
    run = forward.compiled(model, forward.to_class_ids)
    images = np.random.default_rng(0).integers(0, 256, (1, *size, 3)).astype("float32")
    print(model.count_params(), flush=True)
    for _ in sys.stdin:
        cpu, wall = time.process_time(), time.perf_counter()
        np.asarray(run(images))
        print(time.process_time() - cpu, time.perf_counter() - wall, flush=True)


def measure(name, repeats, limit):
    """Medians of both, and the ratio of the one with oneDNN to the one without."""
    command = [sys.executable, "-m", "benchmarks.one_image", "--serve", name]
    limits = {LIMIT: "AVX2"} if limit else {}
    processes = {x: Worker(command, {machine.VARIABLE: x, **limits}) for x in "01"}
    times = {x: [] for x in processes}
    for repeat in range(repeats + 3):  # tracing and warm-up first
        for onednn, process in processes.items():
            measured = process("predict")
            if repeat >= 3:
                times[onednn].append(measured)
    for process in processes.values():
        process.close()
    seconds = {x: np.median(times[x], axis=0) for x in times}
    result = {}
    for place, clock in enumerate(("cpu", "wall")):
        without, with_it = (seconds[x][place] for x in "01")
        result |= {f"{clock} s": without, f"{clock} s, oneDNN": with_it}
        result[f"{clock}, oneDNN / without"] = with_it / without
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("models", nargs="*", default=list(MODELS))
    parser.add_argument("--repeats", type=int, default=13)
    parser.add_argument("--avx2", action="store_true")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    found = {x: measure(x, options.repeats, options.avx2) for x in options.models}
    title = "single images" + ", AVX2 alone" * options.avx2
    record(title, {**recorded(title), **found})


if __name__ == "__main__":
    main()
