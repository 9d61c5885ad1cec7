"""Divisors of losses: those of the whole batch, whatever divides it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import zoo
from kerasseg.training import divisors
from tests.training.lines import make


def of_objects(model, images, truth, *, seed, divide):
    """The mean over objects, of which images have different numbers, and a draw."""
    squared = (model(images, training=True) - truth["y"]) ** 2
    drawn = keras.random.uniform((), seed=seed)
    num = tf.reduce_sum(truth["weights"])
    total = tf.reduce_sum(squared * truth["weights"])
    return {"objects": divide(total, num), "drawn": 0.0 * drawn}


def crowded(rng):
    """Four images of 0, 4, 1 and 3 objects."""
    x = rng.normal(size=(4, 2, 2, 1)).astype("float32")
    weights = np.array([[0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 0, 0], [1, 1, 0, 1]])
    weights = weights.reshape(4, 2, 2, 1).astype("float32")
    return x, {"y": rng.normal(size=x.shape).astype("float32"), "weights": weights}


@pytest.mark.parametrize(
    ("accumulate", "jit"), [(1, False), (2, False), (4, False), (2, True)]
)
def test_slices_divide_by_the_objects_of_the_whole_batch(accumulate, jit, rng):
    images, truth = crowded(rng)
    step = make(of_objects, accumulate=accumulate, jit_compile=jit)
    before = step.variables["draws"].numpy().copy()
    logs = step(images, truth)
    squared = (2 * images - truth["y"]) ** 2
    expected = (squared * truth["weights"]).sum() / truth["weights"].sum()
    assert float(logs["loss_objects"]) == pytest.approx(expected, rel=1e-5)
    slope = (2 * (2 * images - truth["y"]) * images * truth["weights"]).sum() / 8
    assert step.model.get_weights()[0].item() == pytest.approx(2 - 0.1 * slope)
    drawn = step.variables["draws"].numpy() - before  # counting first draws nothing
    assert drawn.max() == accumulate


def test_a_batch_without_objects_divides_by_one(rng):
    images, truth = crowded(rng)
    truth["weights"] *= 0
    logs = make(of_objects, accumulate=2)(images, truth)
    assert float(logs["loss"]) == 0 and not bool(logs["failed"])


@pytest.mark.parametrize("name", [k for k, v in zoo.BUILDERS.items() if v.losses])
def test_the_losses_of_every_architecture_divide_by_all_objects(name):
    assert divisors.takes_divide(zoo.BUILDERS[name].losses)
