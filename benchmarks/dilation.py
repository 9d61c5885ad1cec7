"""Dilated convolutions: the three branches of ASPP, ours against Keras' own.

And DeepLabv3+ in files of other runtimes, which get each as one operation, against the
pieces that TensorFlow makes of it.
Run: python -m benchmarks.dilation [--repeats 5] [--files]
"""

import argparse
import contextlib
import functools
import itertools
import pathlib
import tempfile
from unittest import mock

from benchmarks.record import ratios, record
from kerasseg import layers, machine, tasks
from kerasseg.profiling import benchmark

BATCH, CHANNELS, FILTERS = 4, 320, 256
KINDS = {"one operation": machine.converting, "pieces": contextlib.nullcontext}
MAPS = {8: (12, 24, 36), 16: (6, 12, 18), 32: (6, 12, 18)}  # side -> rates


def step(layer, side, rates):
    """Function that computes the gradients of one pass."""
    import keras
    import tensorflow as tf

    x = keras.Input((None, None, CHANNELS))
    branches = [layer(FILTERS, 3, padding="same", dilation_rate=r)(x) for r in rates]
    model = keras.Model(x, keras.layers.Add()(branches))
    features = tf.random.normal((BATCH, side, side, CHANNELS))

    @tf.function
    def compute():
        with tf.GradientTape() as tape:
            tape.watch(features)
            total = tf.reduce_sum(model(features, training=True) ** 2)
        weights = [weight.value for weight in model.trainable_variables]
        return tape.gradient(total, [features, *weights])

    return lambda: compute()[0].numpy()


def files(repeats, side=384):
    """Times of files of both kinds, one image and eight: {"openvino, batch 1": ...}."""
    import numpy as np

    from benchmarks import engines
    from kerasseg.predict import converters, runtimes

    model, runs, result = engines.MODELS["deeplab_v3_plus_lite0"][0](), {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for format, kind in itertools.product(runtimes.RUNTIMES, KINDS):
            suffix = runtimes.RUNTIMES[format].suffix
            path = pathlib.Path(folder) / f"{kind.replace(' ', '_')}{suffix}"
            with mock.patch.object(machine, "converting", KINDS[kind]):
                program = tasks.of(model).program(model, None)
                converters.convert(model, program, path, format)
            runs[format, kind] = runtimes.open_file(path, format).run
    for batch in (1, 8):
        shape = (batch, side, side, 3)
        images = np.random.default_rng(0).integers(0, 256, shape, "uint8")
        cases = {x: (functools.partial(run, images), batch) for x, run in runs.items()}
        found = benchmark.measure(cases, repeats=repeats, warmup=3)
        for format in runtimes.RUNTIMES:
            one, pieces = ((format, kind) for kind in KINDS)
            result[f"{format}, batch {batch}, one operation / pieces"] = ratios(
                found, one, pieces
            )
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--files", action="store_true")
    options = parser.parse_args()
    if options.files:
        record("dilated convolutions in files", files(options.repeats))
        return
    import keras

    result = {}
    for side, rates in MAPS.items():
        cases = {
            "ours": (step(layers.AtrousConv2D, side, rates), BATCH),
            "Keras'": (step(keras.layers.Conv2D, side, rates), BATCH),
        }
        found = benchmark.measure(cases, repeats=options.repeats, warmup=2)
        result[f"{side}x{side}, rates {rates}"] = {
            "cases": found,
            "ours / Keras'": ratios(found, "ours", "Keras'"),
        }
    record("training step of three dilated branches", result)


if __name__ == "__main__":
    main()
