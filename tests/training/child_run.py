"""Run by test_processes.py: a run that others began elsewhere goes on here.

Arguments: the run folder, and that of the same run without a break. Prints the warnings
of the resumed run.
"""

import pathlib
import sys
import warnings

import keras
import numpy as np
import tensorflow as tf
import training_cases as cases

from kerasseg import training
from kerasseg.training import checkpoints


def run(folder):
    tf.config.experimental.enable_op_determinism()
    model = cases.network(norm=True, dropout=0.3)
    # The bias before the normalisation has no gradient but rounding, which a small
    # epsilon would make as large as any other.
    optimizer = keras.optimizers.Adam(0.01, epsilon=1e-3)
    step = cases.make_step(model, optimizer, ema_decay=0.9)
    training.fit(
        step,
        cases.batches,
        steps=12,
        steps_per_epoch=4,
        validation=training.Validation(lambda: {"mean_iou": float(step.position)}),
        folder=training.RunFolder(folder, save_every=3),
    )


def last_values(folder):
    """Everything that the newest checkpoint of a run holds."""
    return checkpoints.read(checkpoints.latest(folder / "checkpoints")).arrays


def main():
    broken, whole = map(pathlib.Path, sys.argv[1:])
    with warnings.catch_warnings(record=True) as caught:
        run(broken)
    print(*(warning.message for warning in caught), sep="\n")
    resumed, expected = last_values(broken), last_values(whole)
    assert list(resumed) == list(expected)
    for name in expected:
        # Twelve steps in float32, summed in another order.
        np.testing.assert_allclose(
            resumed[name], expected[name], rtol=0, atol=1e-4, err_msg=name
        )


if __name__ == "__main__":
    main()
