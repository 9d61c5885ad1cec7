"""The training loop: exact resume, averaged validation, best weights, patience."""

import contextlib
import pathlib
import signal

from kerasseg import machine
from kerasseg.training import interrupts, run_lock, tensorboard
from kerasseg.training.loop import Run
from kerasseg.training.run_files import RunFiles, RunFolder


def fit(
    step,
    batches,
    *,
    steps,
    steps_per_epoch,
    validation=None,
    folder=None,
    on_event=None,
    names_of=None,
):
    """Train up to a number of steps; the same call after a crash resumes exactly.

    The run folder gets `checkpoints/` (the newest two), `history.jsonl` (one row per
    epoch), `best.weights.h5` (the averaged weights of the best epoch) and, if wanted,
    `tensorboard/`. One run at a time may use it; workers of a
    MultiWorkerMirroredStrategy share it, and only the first one writes. If it holds a
    checkpoint, the run resumes there: every variable, the best value, the patience and
    the running means are as they were, and rows of later steps are dropped.

    Ctrl-C, SIGTERM and SIGHUP let the step finish, save, and raise Interrupted, which
    is a KeyboardInterrupt; a second one stops at once, without saving.

    Args:
        step: TrainStep.
        batches: function (start_step) -> iterable of (images, labels) from that step
            on: `lambda start: data.batches(data.pipeline(samples, start_step=start))`.
        steps: position to stop at, counted from the beginning of the run.
        steps_per_epoch: steps between two validations; the last epoch may be shorter.
        validation: Validation, or None for none.
        folder: RunFolder or its path; None keeps nothing.
        on_event: function of a dict with "kind" and "step": "begin" (steps, and monitor
            with a validation), "resumed" (path), "step" (epoch, loss, grad_norm,
            learning_rate, images_per_s), "not_finite" (loss, grad_norm, samples),
            "epoch" (the row of the history), "saved" (path, best), "stopped" (reason,
            message).
        names_of: function of a start step -> names of the samples in its batch, to be
            reported when its loss is not finite; see `data.batch_names`.

    Returns:
        FitResult. The model holds the weights of the last step.

    Raises:
        Interrupted: if it was asked to stop.
        NonFiniteError: at a step whose loss or gradient is not finite, or at the 20th
            in a row if the step skips them. None of them has changed the model; the
            history has a row for each.
        checkpoints.CheckpointError: if the run folder holds only damaged checkpoints,
            or those of another model.
        files.WriteError: if its disk is full.
        run_lock.FolderInUseError: if another process trains in the run folder.
        RuntimeError: in a fork of a process that has used TensorFlow.
        ValueError: if an argument is out of range, `batches` ends early, or the
            validation does not report its monitored metric.

    Example:
        >>> import keras, numpy as np
        >>> from kerasseg.training import make_train_step
        >>> model = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Dense(1)])
        >>> loss = keras.losses.MeanSquaredError()
        >>> step = make_train_step(model, loss, keras.optimizers.SGD(0.1))
        >>> batch = np.ones([4, 2, 2, 1]), np.zeros([4, 2, 2, 1])
        >>> fit(step, lambda start: [batch] * 6, steps=6, steps_per_epoch=3).step
        6
    """
    for name, count in [("steps", steps), ("steps_per_epoch", steps_per_epoch)]:
        if count < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {count}.")
    if folder is not None and not isinstance(folder, RunFolder):
        folder = RunFolder(folder)
    machine.check_process()
    is_writer = is_first_worker(step.strategy)
    with contextlib.ExitStack() as stack:
        if is_writer and folder is not None:
            # Before anything is read: two processes in one folder would undo each
            # other's files.
            stack.enter_context(run_lock.held(folder.path))
        listeners = [on_event] if on_event else []
        if is_writer and folder is not None and folder.tensorboard:
            scalars = pathlib.Path(folder.path, "tensorboard")
            listeners.append(tensorboard.make_listener(scalars, folder.log_every))
        run = Run(
            step=step,
            steps=steps,
            steps_per_epoch=steps_per_epoch,
            validation=validation,
            files=RunFiles(folder, is_writer),
            listeners=listeners,
            names_of=names_of,
        )
        run.resume()
        with interrupts.deferred() as interrupt:
            try:
                run.train(batches, interrupt)
            except KeyboardInterrupt:
                message = run.stop_early(interrupt)
                number = interrupt.received or signal.SIGINT
                raise interrupts.Interrupted(message, number) from None
        return run.finish()


def is_first_worker(strategy):
    """Whether this process writes the run folder that all workers share."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.cluster_spec().jobs:
        return True
    # Worker 0 is TensorFlow's chief where TF_CONFIG names none.
    first = "chief" if "chief" in resolver.cluster_spec().jobs else "worker"
    return (resolver.task_type, resolver.task_id) == (first, 0)
