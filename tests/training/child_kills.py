"""Run by test_training_processes.py: kill -9 at random instants, then the end.

Argument: a folder. Prints JSON: how many runs were killed, whether weights, optimizer
and averages ended bit by bit as without the kills, and the same of the history.

TensorFlow is imported once; every run is a fork of this process that then starts the
runtime for itself.
"""

import json
import os
import pathlib
import random
import signal
import sys
import time
import traceback

import keras
import tensorflow as tf
import training_cases as cases

from kerasseg import augment, data, datasets, losses, training
from kerasseg.training import checkpoints
from kerasseg.training.history import History

STEPS, EPOCH, KILLS = 240, 20, 12


def run(folder, on_event):
    """Train with everything on that has state or draws random numbers."""
    tf.config.experimental.enable_op_determinism()
    samples = datasets.shapes(12, size=32, seed=1)
    crop = augment.standard(size=(8, 8), scale=(0.5, 1.0))
    model = cases.network(norm=True, dropout=0.3, dtype="mixed_bfloat16")
    step = training.make_train_step(
        model,
        losses.Dice(),
        keras.optimizers.Adam(0.01),
        options=training.StepOptions(ema_decay=0.9, accumulate=2),
    )

    def batches(start_step):
        stream = data.pipeline(
            samples, batch_size=4, augment=crop, seed=3, start_step=start_step
        )
        return data.batches(stream)

    def validate():  # goes up and down, so that the best is not the last
        return {"mean_iou": float(sum(w.sum() for w in model.get_weights())) % 1.0}

    training.fit(
        step,
        batches,
        steps=STEPS,
        steps_per_epoch=EPOCH,
        validation=training.Validation(validate, patience=STEPS),
        folder=training.RunFolder(folder, save_every=1, log_every=7),
        on_event=on_event,
    )


def attempt(folder, delay=None):
    """Run in a child, killed so many seconds after its first step; True if killed."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        tell = {"step": lambda: os.write(writer, b"x")}
        try:
            run(folder, lambda event: tell.pop(event["kind"], lambda: None)())
        except BaseException:  # whatever it is, the fork must not go on as its parent
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(writer)
    begun = os.read(reader, 1)
    os.close(reader)
    if delay is not None and begun:
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def state(folder):
    """Everything that must not depend on the kills."""
    rows = History(folder / "history.jsonl").rows()
    clock = {"seconds", "cpu_seconds", "images_per_s"}
    rows = [{k: v for k, v in row.items() if k not in clock} for row in rows]
    saved = checkpoints.read(checkpoints.latest(folder / "checkpoints"))
    record = saved.extra["record"]
    return saved.arrays, rows, [record["best"], record["best_step"]]


def main():
    folder = pathlib.Path(sys.argv[1])
    begin = time.perf_counter()
    assert not attempt(folder / "whole")
    seconds = time.perf_counter() - begin
    draw, kills = random.Random(0), 0
    while kills < KILLS:  # each may get up to a twelfth of the way
        kills += attempt(folder / "killed", draw.uniform(0, seconds / KILLS / 4))
    while attempt(folder / "killed"):
        pass
    (whole, rows, best), (killed, rows_killed, best_killed) = (
        state(folder / name) for name in ("whole", "killed")
    )
    cases.assert_identical(whole, killed)
    print(
        json.dumps(
            {"kills": kills, "rows": rows == rows_killed, "best": best == best_killed}
        )
    )


if __name__ == "__main__":
    main()
