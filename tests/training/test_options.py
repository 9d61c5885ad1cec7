"""Options of a training step."""

import keras
import pytest

from tests.training import training_cases as cases


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"accumulate": 0}, "accumulate.*Received: 0"),
        ({"clip_norm": 0.0}, "clip_norm.*Received: 0.0"),
        ({"ema_decay": 1.0}, "ema_decay.*Received: 1.0"),
        ({"swa_begin": -1}, "swa_begin.*Received: -1"),
        ({"swa_begin": 3, "ema_decay": 0.9}, "give one.*Received: 0.9 and 3"),
        (
            {"optimizer": keras.optimizers.SGD(gradient_accumulation_steps=2)},
            "Use `accumulate` here",
        ),
        ({"model": keras.Sequential([keras.layers.Dense(1)])}, "must be built"),
    ],
)
def test_arguments_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        cases.make_step(**options)
