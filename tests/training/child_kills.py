"""Run by test_processes.py: kill -9 in the middle of a save and at random instants.

Argument: a folder; it gets `whole` and `broken`, a run without a break and the same one
killed while it saved. Prints JSON: whether that run ended bit by bit as the whole one;
how many runs were killed at random, whether weights, optimizer and averages ended bit
by bit as without the kills, and the same of the history.
"""

import json
import os
import pathlib
import random
import shutil
import signal
import sys
import time
import warnings

import child_run
import forks
import keras
import tensorflow as tf
import training_cases as cases

from kerasseg import augment, data, datasets, losses, training
from kerasseg.training import checkpoints
from kerasseg.training.history import History

STEPS, EPOCH, KILLS = 96, 12, 8


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
    """Run in a fork, killed so many seconds after its first step; True if killed."""
    reader, writer = os.pipe()
    tell = {"step": lambda: os.write(writer, b"x")}
    child = forks.start(
        lambda: run(folder, lambda event: tell.pop(event["kind"], lambda: None)())
    )
    os.close(writer)
    begun = os.read(reader, 1)
    os.close(reader)
    if delay is not None and begun:
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
    code = forks.wait(child)
    assert code in (0, -signal.SIGKILL)
    return code != 0


def state(folder):
    """Everything that must not depend on the kills."""
    rows = History(folder / "history.jsonl").rows()
    clock = {"seconds", "cpu_seconds", "images_per_s"}
    rows = [{k: v for k, v in row.items() if k not in clock} for row in rows]
    saved = checkpoints.read(checkpoints.latest(folder / "checkpoints"))
    progress = saved.extra["record"]
    return saved.arrays, rows, [progress["best"], progress["best_step"]]


def run_and_die(folder, num_files):
    """Run until so many files are in place, and die while the next is put there."""
    replace, left = os.replace, num_files

    def dying(*arguments):
        nonlocal left
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        replace(*arguments)

    os.replace = dying
    child_run.run(folder)


def resume_in_silence(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        child_run.run(folder)


def killed_while_saving(folder):
    """Whether a run killed in the middle of a save ends as the whole one."""
    assert forks.run(lambda: child_run.run(folder / "whole")) == 0
    # The sixth file is the checkpoint of step 8, after that epoch's best weights.
    code = forks.run(lambda: run_and_die(folder / "broken", 5))
    assert code == -signal.SIGKILL
    shutil.copytree(folder / "broken", folder / "resumed")
    assert forks.run(lambda: resume_in_silence(folder / "resumed")) == 0
    ends = (child_run.last_values(folder / name) for name in ("whole", "resumed"))
    cases.assert_identical(*ends)
    return True


def killed_at_random(folder):
    begin = time.perf_counter()
    assert not attempt(folder / "whole")
    seconds = time.perf_counter() - begin
    draw, kills = random.Random(0), 0
    while kills < KILLS:  # each may get up to a quarter of an eighth further
        kills += attempt(folder / "killed", draw.uniform(0, seconds / KILLS / 4))
    while attempt(folder / "killed"):
        pass
    (whole, rows, best), (killed, rows_killed, best_killed) = (
        state(folder / name) for name in ("whole", "killed")
    )
    cases.assert_identical(whole, killed)
    return {"kills": kills, "rows": rows == rows_killed, "best": best == best_killed}


def main():
    folder = pathlib.Path(sys.argv[1])
    report = {"saving": killed_while_saving(folder)}
    print(json.dumps({**report, **killed_at_random(folder / "random")}))


if __name__ == "__main__":
    main()
