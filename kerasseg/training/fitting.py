"""The training loop: exact resume, averaged validation, best weights, patience."""

import pathlib
import signal

import tensorflow as tf

from kerasseg.training import interrupts
from kerasseg.training.loop import Run


def fit(
    step,
    batches,
    *,
    steps,
    steps_per_epoch,
    run_dir=None,
    validate=None,
    patience=None,
    monitor="mean_iou",
    on_event=None,
    save_every=None,
    log_every=None,
    tensorboard=False,
    names_of=None,
):
    """Train up to a number of steps; the same call after a crash goes on exactly.

    The run folder gets `checkpoints/` (the newest two), `history.jsonl` (a row per
    epoch), `best.weights.h5` (the averaged weights of the best epoch) and, if wanted,
    `tensorboard/`. Workers of a MultiWorkerMirroredStrategy share it, and only the
    first one writes. If it holds a checkpoint, the run resumes there: every variable,
    the best value, the patience and the running means are as they were, and rows of
    later steps are dropped.

    Ctrl-C and SIGTERM let the step finish, save, and raise Interrupted, which is a
    KeyboardInterrupt; a second one stops at once.

    Args:
        step: TrainStep.
        batches: function (start_step) -> iterable of (images, labels) from that step
            on: `lambda start: data.batches(data.pipeline(samples, start_step=start))`.
        steps: position to stop at, counted from the beginning of the run.
        steps_per_epoch: steps between two validations; the last epoch may be shorter.
        run_dir: run folder, or None to keep nothing.
        validate: function () -> dict of numbers, called with the averaged weights in
            the model.
        patience: stop after so many epochs without a better `monitor`.
        monitor: key of the validation metric that decides; larger is better.
        on_event: function of a dict with "kind" and "step": "begin" (steps, monitor),
            "resumed" (path), "step" (epoch, loss, grad_norm, learning_rate,
            images_per_s), "not_finite" (loss, grad_norm, samples), "epoch" (the row of
            the history), "saved" (path, best), "stopped" (reason, message).
        save_every: also save every so many steps.
        log_every: also write a history row every so many steps.
        tensorboard: also write TensorBoard scalars.
        names_of: function of a start step -> names of the samples in its batch, to be
            written down when its loss is not finite; see `data.batch_names`.

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
        ValueError: if an argument is out of range, `batches` ends early, or `validate`
            does not report `monitor`.
    """
    for name, count in [("steps", steps), ("steps_per_epoch", steps_per_epoch)]:
        if count < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {count}.")
    if run_dir is None and (save_every or log_every or tensorboard):
        raise ValueError(
            "`save_every`, `log_every` and `tensorboard` need a `run_dir`. "
            f"Received: run_dir=None, save_every={save_every}, log_every={log_every}, "
            f"tensorboard={tensorboard}."
        )
    if patience is not None and (patience < 1 or validate is None):
        raise ValueError(
            "`patience` must be at least 1, and needs `validate`. "
            f"Received: patience={patience}, validate={validate}."
        )
    folder = None if run_dir is None else pathlib.Path(run_dir)
    listeners = [on_event] if on_event else []
    if tensorboard and is_first_worker(step.strategy):
        listeners.append(_tensorboard(folder / "tensorboard", log_every))
    run = Run(
        step=step,
        writes=is_first_worker(step.strategy),
        steps=steps,
        steps_per_epoch=steps_per_epoch,
        folder=folder,
        validate=validate,
        patience=patience,
        monitor=monitor,
        listeners=listeners,
        save_every=save_every,
        log_every=log_every,
        names_of=names_of,
    )
    run.resume()
    with interrupts.deferred() as interrupt:
        try:
            run.train(batches, interrupt)
        except KeyboardInterrupt:
            message = run.stop_early()
            number = interrupt.received or signal.SIGINT
            raise interrupts.Interrupted(message, number) from None
    return run.finish()


def is_first_worker(strategy):
    """Whether this process writes the run folder that all workers share."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.cluster_spec().jobs:
        return True
    first = "chief" if "chief" in resolver.cluster_spec().jobs else "worker"
    return (resolver.task_type, resolver.task_id) == (first, 0)


def _tensorboard(folder, log_every):
    """Make a listener that writes the numbers of events as TensorBoard scalars."""
    writer = tf.summary.create_file_writer(str(folder))
    # What tf.summary.scalar writes; that function needs TensorBoard to be installed.
    metadata = tf.compat.v1.SummaryMetadata(data_class="DATA_CLASS_SCALAR")
    metadata.plugin_data.plugin_name = "scalars"

    def write(event):
        kind, position = event["kind"], event["step"]
        wanted = log_every and position % log_every == 0 if kind == "step" else True
        if kind not in ("step", "epoch") or not wanted:
            return
        with writer.as_default():
            for name in sorted(event.keys() - {"kind", "step", "epoch"}):
                if isinstance(event[name], (int, float)):
                    value = tf.constant(event[name], "float32")
                    tf.summary.write(f"{kind}/{name}", value, position, metadata)
        writer.flush()

    return write
