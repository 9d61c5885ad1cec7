"""Cost of every architecture: parameters, GFLOPs, images/s and peak memory at 512 px.

Twice: on one common encoder, which compares decoders, and on the encoder of its paper.
Each runs in a process of its own, because the peak memory of a process never falls.
Run: python -m benchmarks.architectures [NAME ...] [--repeats 5]
"""

import argparse
import inspect
import multiprocessing
import time

from benchmarks.record import record, recorded

ENCODER, SIZE, CLASSES = "resnet34", 512, 21
NAME = f"architectures, one image of {SIZE}x{SIZE}"


def cost(name, encoder, repeats):
    """Build a model and run it on one image; returns its row of results.json."""
    import keras
    import numpy as np
    import tensorflow as tf

    from kerasseg import machine, zoo
    from kerasseg.profiling import benchmark, operations

    keras.utils.set_random_seed(0)
    begin = time.perf_counter()
    model = zoo.BUILDERS[name](CLASSES, encoder, input_shape=(SIZE, SIZE, 3))
    build_seconds = time.perf_counter() - begin
    image = tf.constant(np.random.default_rng(0).uniform(0, 255, (1, SIZE, SIZE, 3)))
    image = tf.cast(image, tf.float32)
    infer = tf.function(lambda x: model(x, training=False))
    cases = {
        "inference": (
            lambda: tf.nest.map_structure(
                lambda x: x.numpy()[0, 0, 0, 0], infer(image)
            ),
            1,
        )
    }
    cases["inference"][0]()
    peak_mb = machine.peak_memory_mb()  # before the matrices are allocated
    limit, limit_gflop = benchmark.matmul_case()
    measured = benchmark.measure(cases | limit, repeats=repeats)
    found, best = measured["inference"], measured["matrix multiply"]
    gflop = operations.gflops(model)
    speed = gflop / found["cpu_ms_per_image"]
    return {
        "architecture": name,
        "encoder": encoder,
        "parameters": model.count_params(),
        "gflops": gflop,
        "images_per_second": found["images_per_second"],
        "cpu_ms": found["cpu_ms_per_image"],
        "share_of_matrix_multiply": speed / limit_gflop * best["cpu_ms_per_image"],
        "peak_memory_mb": peak_mb,
        "build_seconds": build_seconds,
    }


def models(names):
    """Pairs (architecture, encoder): the common encoder, then the default one."""
    from kerasseg import zoo

    for name in names or zoo.names("semantic"):
        own = inspect.signature(zoo.BUILDERS[name]).parameters["encoder"].default
        yield from dict.fromkeys([(name, ENCODER), (name, own)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("names", nargs="*", help="default: all semantic architectures")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tensorflow", "keras"])  # imported once for all
    rows = {
        (row["architecture"], row["encoder"]): row
        for row in recorded(NAME).get("rows", [])
    }
    for job in models(options.names):
        with context.Pool(1) as pool:
            rows[job] = pool.apply(cost, (*job, options.repeats))
        print(rows[job], flush=True)
        record(NAME, {"rows": [rows[key] for key in sorted(rows)]}, show=False)


if __name__ == "__main__":
    main()
