"""Run by test_training_processes.py: a run that dies, and one that resumes it.

Arguments: the run folder, and how many files may be put in place before kill -9 strikes
in the middle of the next (0: never).
"""

import os
import pathlib
import signal
import sys

import keras
import tensorflow as tf
import training_cases as cases

from kerasseg import training


def run(folder):
    model = cases.network(norm=True, dropout=0.3)
    step = cases.make_step(model, keras.optimizers.Adam(0.01), ema_decay=0.9)
    training.fit(
        step,
        cases.batches,
        steps=12,
        steps_per_epoch=4,
        run_dir=folder,
        validate=lambda: {"mean_iou": float(step.position)},
        save_every=3,
    )
    return cases.values(step)


def main():
    folder, survived = pathlib.Path(sys.argv[1]), int(sys.argv[2])
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
    resumed = run(folder / "broken")
    cases.assert_identical(run(folder / "whole"), resumed)


if __name__ == "__main__":
    main()
