"""Run by test_processes.py in a process of its own; prints JSON.

Virtual devices must be made before TensorFlow starts, and peak memory never falls.
"""

import json
import sys
import tempfile

import keras
import numpy as np
import tensorflow as tf
import training_cases as cases

from kerasseg import layers, training


def peak_mb():
    """Of this program alone: `ru_maxrss` begins at the size of the process before."""
    with open("/proc/self/status", encoding="ascii") as file:
        line = next(line for line in file if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def memory():
    """Peak memory of a batch of 16 in 8 slices, then as a whole, above the start."""
    convs = [keras.layers.Conv2D(16, 3, padding="same") for _ in range(6)]
    model = keras.Sequential([keras.Input((None, None, 3)), *convs])
    steps = {
        accumulate: training.make_train_step(
            model,
            lambda labels, logits: tf.reduce_mean(logits**2, axis=(1, 2, 3)),
            keras.optimizers.SGD(0.01),
            options=training.StepOptions(accumulate=accumulate),
        )
        for accumulate in (8, 1)
    }
    for step in steps.values():  # traces, threads and buffers of every kernel
        step(tf.zeros([16, 16, 16, 3]), tf.zeros([16]))
    images, used = tf.zeros([16, 256, 256, 3]), {}
    start = peak_mb()
    for accumulate, step in steps.items():
        step(images, tf.zeros([16]))
        used[accumulate] = peak_mb() - start
    return used


def make(strategy=None, **options):
    with (strategy or tf.distribute.get_strategy()).scope():
        model = cases.network(penalty=keras.regularizers.L2(0.01))
        optimizer = keras.optimizers.Adam(0.01)
    return cases.make_step(
        model, optimizer, strategy=strategy, clip_norm=0.1, ema_decay=0.9, **options
    )


def stream(start_step):
    """Batches as a tf.data.Dataset, which `fit` must distribute."""
    parts = [cases.batch(number) for number in range(start_step, 6)]
    images, labels = (np.concatenate(part) for part in zip(*parts))
    return tf.data.Dataset.from_tensor_slices((images, labels)).batch(4)


def worst(left, right):
    pairs = zip(left.variables.values(), right.variables.values(), strict=True)
    return max(float(np.abs(a.numpy() - b.numpy()).max()) for a, b in pairs)


def broken(strategy):
    """Changes on either device in a step that is not finite."""
    with strategy.scope():
        step = cases.make_step(cases.network(norm=True, dropout=0.1), strategy=strategy)

    def copies():
        local = strategy.experimental_local_results
        variables = step.variables.values()
        values = [v.value if isinstance(v, keras.Variable) else v for v in variables]
        return [part.numpy() for value in values for part in local(value)]

    step(*cases.batch(0))
    before = copies()
    images, labels = cases.batch(1)
    images[0] = np.nan  # on the first device only
    failed = bool(step(images, labels)["failed"])
    same = all(np.array_equal(a, b) for a, b in zip(before, copies(), strict=True))
    return failed and same


def synchronized(strategy):
    """Two devices with common batch statistics against one device."""
    steps = []
    for scope in (tf.distribute.get_strategy(), strategy):
        with scope.scope():
            model = cases.network(norm=True)
            layers.synchronize(model)
            steps.append(cases.make_step(model, strategy=scope))
    for number in range(3):
        for step in steps:
            step(*cases.batch(number))
    return worst(*steps)


def objective(strategy):
    """Two devices, in slices, against one on a function of losses that draws, too."""

    def entropy(model, images, labels, *, seed, divide):
        factor = 1.0 + 0.0 * keras.random.uniform((), seed=seed)
        losses = cases.LOSS.call(labels, model(images, training=True))
        # Only some images have pixels of class 2 in their upper half.
        objects = tf.cast(labels[:, :1] == 2, "float32")
        mean = divide(tf.reduce_sum(losses[:, :1] * objects), tf.reduce_sum(objects))
        return {"entropy": factor * tf.reduce_mean(losses), "objects": mean}

    steps = []
    for scope, options in (
        (tf.distribute.get_strategy(), training.StepOptions()),
        (strategy, training.StepOptions(accumulate=2)),
    ):
        with scope.scope():
            model, optimizer = cases.network(), keras.optimizers.Adam(0.01)
        steps.append(
            training.make_train_step(
                model,
                training.Objective(entropy),
                optimizer,
                options=options,
                strategy=scope,
            )
        )
    for number in range(3):
        one, two = (float(s(*cases.batch(number))["loss"]) for s in steps)
    weights = zip(*(step.model.get_weights() for step in steps), strict=True)
    return max(abs(one - two), *(float(np.abs(a - b).max()) for a, b in weights))


def masked(strategy):
    """Two devices, in slices, against one with a loss that leaves a class out."""
    loss, steps = keras.losses.SparseCategoricalCrossentropy(True, ignore_class=0), []
    for scope, accumulate in ((tf.distribute.get_strategy(), 1), (strategy, 2)):
        with scope.scope():
            model, optimizer = cases.network(), keras.optimizers.SGD(0.1)
        options = training.StepOptions(accumulate=accumulate)
        made = {"options": options, "strategy": scope}
        steps.append(training.make_train_step(model, loss, optimizer, **made))
    images, labels = cases.batch(0)
    labels[0] = 0
    one, two = (float(step(images, labels)["loss"]) for step in steps)
    return max(abs(one - two), worst(*steps))


def averages(strategy):
    """Averages of BatchNorm after one step on two devices, in slices, and on one."""
    found = []
    for scope, accumulate in ((tf.distribute.get_strategy(), 1), (strategy, 2)):
        with scope.scope():
            norm = layers.BatchNormalization(name="norm")
            parts = [keras.Input((8, 8, 3)), norm, keras.layers.Conv2D(3, 1)]
            model = keras.Sequential(parts)
            step = cases.make_step(model, strategy=scope, accumulate=accumulate)
        step(*cases.batch(0))
        found.append([norm.moving_mean.numpy(), norm.moving_variance.numpy()])
    return float(np.abs(np.divide(*found) - 1).max())


def main():
    cpu = tf.config.list_physical_devices("CPU")[0]
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, two)
    report = {"memory": memory()}
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    one, many, sliced = make(), make(strategy), make(strategy, accumulate=2)
    with tempfile.TemporaryDirectory() as folder:
        training.fit(one, stream, steps=6, steps_per_epoch=3)
        # On two devices, with a break in the middle.
        training.fit(make(strategy), stream, steps=3, steps_per_epoch=3, folder=folder)
        training.fit(many, stream, steps=6, steps_per_epoch=3, folder=folder)
    report["devices"] = worst(one, many)
    for number in range(6):
        sliced(*cases.batch(number))
    report["slices"] = worst(one, sliced)
    report["synchronized"] = synchronized(strategy)
    report["objective"] = objective(strategy)
    report["masked"] = masked(strategy)
    report["averages"] = averages(strategy)
    report["restored"] = broken(strategy)
    try:
        cases.make_step(strategy=strategy)
    except ValueError as error:
        report["outside"] = str(error)
    print(json.dumps(report))


if __name__ == "__main__":
    sys.exit(main())
