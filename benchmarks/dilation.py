"""Dilated convolutions: the three branches of ASPP, ours against Keras' own.

Run: python -m benchmarks.dilation [--repeats 5]
"""

import argparse

from benchmarks.record import ratios, record
from kerasseg import layers
from kerasseg.profiling import benchmark

BATCH, CHANNELS, FILTERS = 4, 320, 256
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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
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
