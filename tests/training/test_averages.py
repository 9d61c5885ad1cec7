"""Moving averages of weights, and their exchange."""

import numpy as np
import pytest

from tests.training import training_cases as cases


def test_averages_follow_their_recurrence():
    step = cases.make_step(ema_decay=0.15)
    average = step.model.get_weights()[0]
    for t in range(4):
        step(*cases.batch(t))
        decay = min(0.15, (1 + t) / (10 + t))  # .1, then the limit
        average = decay * average + (1 - decay) * step.model.get_weights()[0]
    with step.averaged_weights():
        np.testing.assert_allclose(step.model.get_weights()[0], average, atol=1e-6)


def test_statistics_of_normalization_are_averaged_with_the_weights():
    step = cases.make_step(cases.network(norm=True), ema_decay=0.15)
    statistics = [w for w in step.model.weights if w.name == "moving_mean"]
    average = statistics[0].numpy()
    for t in range(3):
        step(*cases.batch(t))
        decay = min(0.15, (1 + t) / (10 + t))
        average = decay * average + (1 - decay) * statistics[0].numpy()
    with step.averaged_weights():
        np.testing.assert_allclose(statistics[0].numpy(), average, atol=1e-6)


def test_from_a_step_on_weights_are_averaged_plainly():
    step = cases.make_step(cases.network(norm=True), swa_begin=2)
    seen = []
    for t in range(5):
        step(*cases.batch(t))
        seen.append(step.model.get_weights())
        with step.averaged_weights():
            for k, found in enumerate(step.model.get_weights()):
                expected = np.mean(
                    [weights[k] for weights in seen[min(t, 2) :]], axis=0
                )
                np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_own_weights_come_back_after_the_averaged_ones():
    step = cases.make_step(cases.network(norm=True), ema_decay=0.9)
    step(*cases.batch(0))
    before = cases.values(step)
    with pytest.raises(ZeroDivisionError), step.averaged_weights():
        with pytest.raises(RuntimeError, match="averaged weights now"):
            step(*cases.batch(1))
        raise ZeroDivisionError
    cases.assert_identical(before, cases.values(step))


def test_without_averaging_the_block_changes_nothing():
    step = cases.make_step()
    before = cases.values(step)
    with step.averaged_weights():
        cases.assert_identical(before, cases.values(step))
