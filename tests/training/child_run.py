"""Run by test_training_processes.py: a run that dies, and one that resumes it.

Arguments: the run folder; how many files may be put in place before kill -9 strikes in
the middle of the next (0: never); how far the resumed run may be from the whole one.
Prints the warnings of the resumed run.
"""

import os
import pathlib
import signal
import sys
import warnings

import keras
import tensorflow as tf
import training_cases as cases

from kerasseg import training


def run(folder):
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
    return cases.values(step)


def main():
    folder, survived = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    tolerance = float(sys.argv[3])
    tf.config.experimental.enable_op_determinism()
    if survived:
        replace = os.replace

        def dying(*arguments):
            nonlocal survived
            if not survived:
                os.kill(os.getpid(), signal.SIGKILL)
            survived -= 1
            replace(*arguments)

        os.replace = dying
    with warnings.catch_warnings(record=True) as caught:
        resumed = run(folder / "broken")
    print(*(warning.message for warning in caught), sep="\n")
    cases.assert_close(run(folder / "whole"), resumed, tolerance)


if __name__ == "__main__":
    main()
