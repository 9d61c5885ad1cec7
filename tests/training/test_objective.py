"""Steps that minimise a function of the model instead of a loss of its outputs."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import training
from tests.training import training_cases as cases
from tests.training.lines import make


def errors(model, images, truth, *, seed):
    """Two terms, with truth in a dict."""
    squared = (model(images, training=True) - truth["y"]) ** 2
    return {"whole": tf.reduce_mean(squared), "half": 0.5 * tf.reduce_mean(squared)}


def noise(model, images, truth, *, seed):
    """A gradient that depends on what is drawn."""
    factor = keras.random.uniform((), seed=seed)
    return {"drawn": factor * tf.reduce_mean(model(images, training=True))}


def batch(images=4):
    x = np.ones((images, 2, 2, 1), "float32")
    return x, {"y": np.zeros_like(x)}


@pytest.mark.parametrize("accumulate", [1, 2])
def test_the_sum_of_the_terms_is_minimised_and_each_is_logged(accumulate):
    step = make(errors, accumulate=accumulate)
    logs = {name: float(value) for name, value in step(*batch()).items()}
    assert logs["loss_whole"] == pytest.approx(4.0)  # (2 * 1 - 0)^2
    assert logs["loss_half"] == pytest.approx(2.0)
    assert logs["loss"] == pytest.approx(6.0)
    assert logs["images"] == 4
    assert step.model.get_weights()[0].item() == pytest.approx(2 - 0.1 * 1.5 * 4)


def test_what_is_drawn_changes_from_step_to_step_and_repeats_with_the_state():
    step, again = make(noise), make(noise)
    first = [float(step(*batch())["loss_drawn"]) for _ in range(2)]
    assert first[0] != first[1]
    again(*batch())
    for name, variable in step.variables.items():
        again.variables[name].assign(np.array(variable.numpy()))
    following = [float(s(*batch())["loss_drawn"]) for s in (step, again)]
    assert following[0] == following[1]
    assert "draws" in step.variables


def test_a_step_that_is_not_finite_draws_again():
    step = make(noise)
    before = cases.values(step)
    x, truth = batch()
    assert bool(step(np.full_like(x, np.nan), truth)["failed"])
    cases.assert_identical(cases.values(step), before)


def test_the_terms_stand_in_the_history():
    step, rows = make(errors), []
    training.fit(
        step,
        lambda start: itertools.repeat(batch()),
        steps=4,
        steps_per_epoch=2,
        on_event=rows.append,
    )
    epochs = [row for row in rows if row["kind"] == "epoch"]
    assert len(epochs) == 2
    for row in epochs:
        terms = row["loss_whole"] + row["loss_half"]
        assert row["loss"] == pytest.approx(terms, rel=1e-5)
