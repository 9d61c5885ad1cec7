"""Tiny networks, batches, steps and runs, shared by the training tests."""

import os
import signal

import keras
import numpy as np

from kerasseg import training
from kerasseg.training.history import History

TIMES = {"seconds", "cpu_seconds", "images_per_s"}
KEPT = {"save_every", "log_every", "tensorboard"}
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


def squares(labels, logits):
    """[N] mean of squared differences."""
    return keras.ops.mean((logits[..., 0] - labels) ** 2, axis=(1, 2))


def line(weight=2.0, **options):
    """y = weight * x as a network without a bias."""
    conv = keras.layers.Conv2D(1, 1, use_bias=False, **options)
    model = keras.Sequential([keras.Input((2, 2, 1)), conv])
    model.set_weights([np.full((1, 1, 1, 1), weight)])
    return model


def ones(size=2):
    return np.ones((size, 2, 2, 1), "float32"), np.zeros((size, 2, 2), "float32")


def full_step():
    """A step with everything that has state: Adam, norm, dropout, averages."""
    rate = training.learning_rate("cosine", peak=0.01, steps=12, warmup_steps=2)
    model = network(norm=True, dropout=0.3)
    return make_step(model, keras.optimizers.Adam(rate), ema_decay=0.9)


def fit(step, folder=None, *, steps=12, batches=batches, **options):
    """Epochs of four steps; options of the validation and the folder by their names."""
    validate, patience = options.pop("validate", None), options.pop("patience", None)
    kept = {key: options.pop(key) for key in KEPT & options.keys()}
    return training.fit(
        step,
        batches,
        steps=steps,
        steps_per_epoch=4,
        validation=validate and training.Validation(validate, patience=patience),
        folder=training.RunFolder(folder, **kept) if kept else folder,
        **options,
    )


def brightness(step):
    """A validation metric that depends on all weights and differs every epoch."""
    return lambda: {"mean_iou": float(sum(w.sum() for w in step.model.get_weights()))}


def scores(*numbers):
    """A validation that reports these numbers, one per epoch."""
    numbers = iter(numbers)
    return lambda: {"mean_iou": next(numbers)}


def interrupted_at(position, number=signal.SIGINT):
    """Batches in which a signal arrives while step `position` is read."""

    def interrupted(start_step):
        for step, images_and_labels in enumerate(batches(start_step), start_step + 1):
            if step == position:
                os.kill(os.getpid(), number)
            yield images_and_labels

    return interrupted


def rows(folder):
    """The history without its clock."""
    return [
        {key: value for key, value in row.items() if key not in TIMES}
        for row in History(folder / "history.jsonl").rows()
    ]


def with_nan(*numbers):
    """Batches of which some have an image of NaN."""

    def spoiled(start_step):
        for step, (images, labels) in enumerate(batches(start_step), start_step + 1):
            images[:1] = np.nan if step in numbers else images[:1]
            yield images, labels

    return spoiled
