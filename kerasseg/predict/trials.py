"""The fastest engine for a model, by trial, and what is remembered of trials."""

import contextlib
import functools
import importlib.metadata
import math
import os
import time

import keras
import numpy as np

from kerasseg import files, machine
from kerasseg.predict import converted, forward, runtimes

NAME = "trials.json"  # beside the converted files
MOST = 1000  # trials that are remembered
REPEATS = 5  # timed runs of each engine
FLAGS = ("TF_ENABLE_ONEDNN_OPTS", "ONEDNN_MAX_CPU_ISA", "OMP_NUM_THREADS")


def fastest(model, answer):
    """`forward.compiled(model, answer)` by the fastest engine for each size of images.

    Sizes with as many pixels, within a factor of 1.4, share one trial.

    Args:
        model, answer: as of `forward.compiled`.

    Returns:
        Function of float32 images [N, H, W, C].
    """
    chosen, runs, about = {}, {}, []

    def run_of(name):
        if name not in runs:
            if name == "tensorflow":
                runs[name] = forward.compiled(model, answer)
            else:
                runs[name] = converted.compiled(model, name, answer)
        return runs[name]

    def run(images):
        size = round(math.log2(math.prod(images.shape[:3])))
        if size not in chosen:
            about[:] = about or [f"{converted.digest(model)} {_machine()}"]
            key = f"{answer.__qualname__} {size} {about[0]}"
            chosen[size] = _choose(run_of, images, key)
        return run_of(chosen[size])(images)

    return run


def installed():
    """Names of the engines that are there, TensorFlow first."""
    table = runtimes.RUNTIMES.items()
    others = [name for name, x in table if not runtimes.missing(*x.packages)]
    return ["tensorflow", *others]


def _choose(run_of, images, key):
    """Name of the fastest engine, remembered or tried."""
    known, there = converted.remembered(NAME), installed()
    name = known.get(key, {}).get("engine")
    if name in there:
        with contextlib.suppress(converted.EngineError):
            run_of(name)(images)
            return name
    cases = {}
    for name in there:
        with contextlib.suppress(converted.EngineError):  # it is out of the trial
            run_of(name)(images)
            cases[name] = functools.partial(call, run_of(name), images)
    times = medians(cases)
    best = min(times, key=times.get)
    rounded = {name: round(ms, 2) for name, ms in times.items()}
    known = {**converted.remembered(NAME), key: {"engine": best, "ms": rounded}}
    path = files.cache_folder() / converted.FOLDER / NAME
    with contextlib.suppress(OSError):  # a home that cannot be written
        files.write_json(path, dict(list(known.items())[-MOST:]))
    return best


def call(run, images):
    """Compute, and wait for all numbers of TensorFlow's answers."""
    keras.tree.map_structure(keras.ops.convert_to_numpy, run(images))


def _machine():
    packages = {x for name in installed()[1:] for x in runtimes.RUNTIMES[name].packages}
    versions = [
        importlib.metadata.version(x) for x in ("tensorflow", *sorted(packages))
    ]
    flags = [os.environ.get(name) for name in FLAGS]
    return f"{machine.cpu_name()} {os.cpu_count()} {versions} {flags}"


def medians(cases, repeats=REPEATS):
    """Median wall time in ms of functions, in turn.

    Each turn is two runs, of which the second counts: others have used the caches
    before the first one, and it may compile.

    Example:
        >>> found = medians({"sum": lambda: sum(range(9))}, repeats=3)
        >>> found["sum"] < 1000
        True
    """
    times = {name: [] for name in cases}
    for _ in range(repeats):
        for name, run in cases.items():
            run()
            begin = time.perf_counter()
            run()
            times[name].append(1e3 * (time.perf_counter() - begin))
    return {name: float(np.median(values)) for name, values in times.items()}
