"""Learning rates, worked out by hand."""

import keras
import numpy as np
import pytest

from kerasseg import training


def rates(schedule, steps):
    return [float(schedule(step)) for step in steps]


def test_cosine_falls_from_peak_to_final():
    schedule = training.learning_rate("cosine", peak=0.2, steps=100, final=0.1)
    # Half way the cosine is 0; a third of the way it is 1/2.
    np.testing.assert_allclose(rates(schedule, [0, 50, 100]), [0.2, 0.15, 0.1])
    third = training.learning_rate("cosine", peak=1.0, steps=3)
    np.testing.assert_allclose(rates(third, [1]), [0.75], rtol=1e-6)


def test_poly_falls_as_a_power_of_what_is_left():
    schedule = training.learning_rate("poly", peak=1.0, steps=10, power=2.0)
    np.testing.assert_allclose(rates(schedule, [0, 5, 9]), [1, 0.25, 0.01], rtol=1e-6)


def test_constant_stays_at_its_peak():
    schedule = training.learning_rate("constant", peak=0.3, steps=10, final=0.1)
    np.testing.assert_allclose(rates(schedule, [0, 9, 50]), [0.3] * 3, rtol=1e-6)


def test_warm_up_rises_linearly_and_its_steps_count():
    schedule = training.learning_rate(
        "poly", peak=1.0, steps=14, warmup_steps=4, power=1.0
    )
    # 4 steps up, then 10 steps down.
    expected = [0.25, 0.5, 0.75, 1.0, 1.0, 0.9, 0.1, 0.0]
    np.testing.assert_allclose(
        rates(schedule, [0, 1, 2, 3, 4, 5, 13, 14]), expected, rtol=1e-6, atol=1e-7
    )


def test_the_rate_stays_final_after_the_last_step():
    for kind in ("cosine", "poly"):
        schedule = training.learning_rate(kind, peak=1.0, steps=10, final=0.5)
        np.testing.assert_allclose(rates(schedule, [10, 11, 1000]), [0.5] * 3)


def test_a_schedule_survives_its_optimizer_being_saved():
    schedule = training.learning_rate("poly", peak=0.1, steps=20, warmup_steps=5)
    config = keras.optimizers.serialize(keras.optimizers.Adam(schedule))
    copy = keras.optimizers.deserialize(config)._learning_rate
    assert rates(copy, range(25)) == rates(schedule, range(25))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "cosin"}, "Did you mean 'cosine'"),
        ({"peak": 0.0}, r"Received: peak=0.0"),
        ({"final": 2.0}, r"Received: peak=1.0, final=2.0"),
        ({"warmup_steps": 10}, r"Received: steps=10, warmup_steps=10"),
    ],
)
def test_numbers_out_of_range_are_refused(options, message):
    kind = options.pop("kind", "cosine")
    with pytest.raises(ValueError, match=message):
        training.learning_rate(kind, **{"peak": 1.0, "steps": 10, **options})
