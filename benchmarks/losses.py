"""Losses and metrics on 512x512 px and 21 classes, against those of Keras.

Run: python -m benchmarks.losses [--repeats 9]
"""

import argparse

import keras
import tensorflow as tf

from benchmarks.record import ratios, record
from kerasseg import losses, metrics
from kerasseg.profiling import benchmark

N, SIZE, CLASSES = 2, 512, 21


def one_hot_dice(labels, logits):
    """Dice as usually written: a float32 one-hot of the labels."""
    truth = tf.one_hot(labels, CLASSES)
    p = tf.nn.softmax(logits)
    both = tf.reduce_sum(p * truth, (1, 2))
    sums = tf.reduce_sum(p, (1, 2)) + tf.reduce_sum(truth, (1, 2))
    return 1 - tf.reduce_mean(2 * both / (sums + 1e-6), -1)


def with_gradient(loss, labels, logits):
    """Function that computes a loss and its gradient."""

    @tf.function
    def compute():
        with tf.GradientTape() as tape:
            tape.watch(logits)
            value = tf.reduce_mean(loss(labels, logits))
        return value, tape.gradient(value, logits)

    return lambda: compute()[0].numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    tf.random.set_seed(0)
    labels = tf.random.uniform((N, SIZE, SIZE), 0, CLASSES, "int32")
    logits = tf.random.normal((N, SIZE, SIZE, CLASSES))
    keras_loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    functions = {
        "Keras' sparse cross-entropy": keras_loss.call,
        "CrossEntropy": losses.CrossEntropy().call,
        "Dice": losses.Dice().call,
        "Dice by a one-hot": one_hot_dice,
        "Lovasz": losses.Lovasz().call,
    }
    cases = {
        name: (with_gradient(loss, labels, logits), N)
        for name, loss in functions.items()
    }
    ours, theirs = metrics.MeanIoU(CLASSES), keras.metrics.MeanIoU(CLASSES)
    classes = tf.argmax(logits, -1, output_type=tf.int32)
    argmax = tf.function(lambda: tf.argmax(logits, -1, output_type=tf.int32))
    update = tf.function(lambda: ours.update_state(labels, logits))
    cases["argmax"] = (lambda: argmax()[0, 0, 0].numpy(), N)
    cases["argmax and MeanIoU"] = (update, N)  # result() comes once per epoch
    other = tf.function(lambda: theirs.update_state(labels, classes))
    cases["Keras' MeanIoU of class ids"] = (other, N)
    measured = benchmark.measure(cases, repeats=options.repeats, warmup=2)
    cpu = {name: case["cpu_ms_per_image"] for name, case in measured.items()}
    record(
        "losses",
        {
            "cases": measured,
            "CrossEntropy / Keras'": ratios(
                measured, "CrossEntropy", "Keras' sparse cross-entropy"
            ),
            "Dice / Dice by a one-hot": ratios(measured, "Dice", "Dice by a one-hot"),
            "MeanIoU beyond argmax, CPU ms per image": cpu["argmax and MeanIoU"]
            - cpu["argmax"],
        },
    )


if __name__ == "__main__":
    main()
