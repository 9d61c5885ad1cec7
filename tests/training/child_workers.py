"""Run by test_training_workers.py, one process a worker; TF_CONFIG says which.

Arguments: the run folder, and the step after which this worker dies (0: never). Prints
a digest of everything that training changes.
"""

import hashlib
import os
import pathlib
import signal
import sys

import keras
import training_cases as cases

from kerasseg import training
from kerasseg.runs import devices


def main():
    folder, dies_at = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    found = devices.prepare("float32", "multiworker", deterministic=True)
    with found.strategy.scope():
        model = cases.network(norm=True, dropout=0.3)
        step = cases.make_step(model, keras.optimizers.Adam(0.01), ema_decay=0.9)

    def die(event):
        if event["kind"] == "step" and event["step"] == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    training.fit(
        step,
        cases.batches,
        steps=8,
        steps_per_epoch=4,
        validation=training.Validation(lambda: {"mean_iou": float(step.position)}),
        folder=training.RunFolder(folder, save_every=1),
        on_event=die,
    )
    digest = hashlib.sha256()
    for value in cases.values(step).values():
        digest.update(value.tobytes())
    print(digest.hexdigest())


if __name__ == "__main__":
    main()
