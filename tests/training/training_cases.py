"""A tiny network, tiny batches and a step, shared by the training tests."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np

from kerasseg import training

LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def network(*, norm=False, dropout=0.0, penalty=None, dtype=None):
    """Two convolutions, 8x8 px to 3 classes; layers named by Keras on purpose."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    x = image = keras.Input((8, 8, 3))
    x = layers.Rescaling(1 / 255, dtype=dtype)(x)
    x = layers.Conv2D(4, 3, padding="same", kernel_regularizer=penalty, dtype=dtype)(x)
    if norm:
        x = layers.BatchNormalization(dtype=dtype)(x)
    x = layers.ReLU(dtype=dtype)(x)
    if dropout:
        x = layers.Dropout(dropout, seed=1)(x)
    return keras.Model(image, layers.Conv2D(3, 1, dtype="float32")(x))


def batch(number, size=4):
    """Batch number 0, 1, 2, ...: images float32 0..255 and labels int32."""
    rng = np.random.default_rng(number)
    images = rng.integers(0, 256, (size, 8, 8, 3)).astype("float32")
    return images, rng.integers(0, 3, (size, 8, 8), dtype="int32")


def batches(start_step):
    """An endless stream of batches from a position on."""
    while True:
        yield batch(start_step)
        start_step += 1


def make_step(model=None, optimizer=None, *, strategy=None, **options):
    return training.make_train_step(
        model or network(),
        LOSS,
        optimizer or keras.optimizers.SGD(0.1, momentum=0.9),
        options=training.StepOptions(**options),
        strategy=strategy,
    )


def values(step):
    """Copies of everything a step changes."""
    return {name: np.array(v.numpy()) for name, v in step.variables.items()}


def assert_identical(left, right):
    assert list(left) == list(right)
    for name in left:
        np.testing.assert_array_equal(left[name], right[name], err_msg=name)


def assert_close(left, right, tolerance):
    assert list(left) == list(right)
    for name in left:
        np.testing.assert_allclose(
            left[name], right[name], rtol=0, atol=tolerance, err_msg=name
        )


def start_child(script, *arguments, **environment):
    """Run a script of this folder in a process of its own; return what it printed."""
    folder = pathlib.Path(__file__).parent
    paths = [str(folder.parents[1]), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, folder / script, *map(str, arguments)],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            **environment,
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def run_child(script, *arguments, **environment):
    """The JSON that such a script prints as its last line."""
    printed = start_child(script, *arguments, **environment)
    return json.loads(printed.splitlines()[-1])
