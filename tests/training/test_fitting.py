"""The training loop: what it leaves behind, and that it resumes exactly."""

import numpy as np
import pytest

from tests.training import training_cases as cases


@pytest.mark.parametrize("position", [4, 7])
def test_an_interrupted_run_resumes_bit_by_bit(tmp_path, whole, position):
    step = cases.full_step()
    options = {"validate": cases.brightness(step), "log_every": 3}
    with pytest.raises(KeyboardInterrupt, match=f"Stopped at step {position} of 12"):
        cases.fit(step, tmp_path, batches=cases.interrupted_at(position), **options)
    step = cases.full_step()
    result = cases.fit(step, tmp_path, validate=cases.brightness(step), log_every=3)
    folder, expected, expected_result = whole
    cases.assert_identical(expected, cases.values(step))
    assert result == expected_result
    assert cases.rows(tmp_path) == cases.rows(folder)
    best = [cases.network(norm=True, dropout=0.3) for _ in range(2)]
    for model, place in zip(best, (folder, tmp_path)):
        model.load_weights(place / "best.weights.h5")
    for a, b in zip(best[0].get_weights(), best[1].get_weights()):
        np.testing.assert_array_equal(a, b)


def test_data_that_ends_early_is_an_error():
    def three(start_step):
        return [cases.batch(number) for number in range(3)]

    with pytest.raises(ValueError, match=r"go on to step 12. Received: 3 steps"):
        cases.fit(cases.make_step(), batches=three)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "`steps` must be at least 1"),
        ({"patience": 0, "validate": lambda: {}}, "`patience` must be at least 1"),
        ({"validate": lambda: {"iou": 1.0}}, "Received: iou"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        cases.fit(cases.make_step(), **options)
