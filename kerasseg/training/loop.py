"""The loop of `fit`: its state, its epochs, and what it writes to the run folder."""

import dataclasses
import math
import pathlib
import time
from collections.abc import Callable

import tensorflow as tf

from kerasseg import files
from kerasseg.training import checkpoints, fingerprint
from kerasseg.training.history import History
from kerasseg.training.record import Record, terms_of
from kerasseg.training.step import TrainStep

MAX_SKIPPED_IN_A_ROW = 20  # more are no bad batch, but a model that has blown up


class NonFiniteError(ArithmeticError):
    """The loss or the gradient of a step was infinite or not a number.

    Attributes:
        step: number of the step that failed, counted from 1.
        loss, grad_norm: what it gave, float.
    """

    def __init__(self, message, step, loss, grad_norm):
        super().__init__(message)
        self.step = step
        self.loss = loss
        self.grad_norm = grad_norm


@dataclasses.dataclass(frozen=True)
class FitResult:
    """How a run ended.

    Attributes:
        step: the position it ended at.
        reason: "finished" or "patience".
        best: largest value of the monitored metric, or None.
        best_step: the step it was reached at, or None.
    """

    step: int
    reason: str
    best: float | None
    best_step: int | None


@dataclasses.dataclass
class Run:
    """The state of one call of `fit`, and its parts."""

    step: TrainStep
    writes: bool  # False in all workers but the first
    steps: int
    steps_per_epoch: int
    folder: pathlib.Path | None
    validate: Callable | None
    patience: int | None
    monitor: str
    listeners: list
    save_every: int | None
    log_every: int | None
    names_of: Callable | None
    record: Record = dataclasses.field(default_factory=Record)
    history: History | None = None
    pending: tuple | None = None  # (position, logs, times) of a step not yet read
    saved: int | None = None  # position of the checkpoint on the disk
    timed: bool = False  # False in the first step, which traces

    def emit(self, kind, **event):
        for listener in self.listeners:
            listener({"kind": kind, **event})

    def log(self, kind, row):
        if self.writes:
            self.history.append({"kind": kind, **row})
        self.record.history_rows += 1

    def resume(self):
        """Go back to the newest checkpoint, if there is one."""
        begin = {"steps": self.steps, "monitor": self.monitor}
        self.emit("begin", step=self.step.position, **begin)
        if self.folder is None:
            return
        self.history = History(self.folder / "history.jsonl")
        path = checkpoints.latest(self.folder / "checkpoints")
        max_rows = None
        if path:
            self.saved, extra = checkpoints.load(path, self.step.variables)
            self.record = Record(**extra["record"])
            fingerprint.warn_if_changed(extra["fingerprint"], self._circumstances())
            max_rows = self.record.history_rows
            self.emit("resumed", step=self.saved, path=str(path))
        if self.writes:
            self.history.truncate_after(self.step.position, max_rows=max_rows)
            self.record.history_rows = len(self.history.rows())

    def train(self, batches, interrupt):
        """Run the steps that are left."""
        position = self.step.position
        if self._ends_epoch(position) and self.record.epoch_has_begun:
            self.end_epoch(interrupt)  # the run was stopped in its validation
        if self._is_done(position):
            return
        iterator = iter(self._distributed(batches(position)))
        clock = _clock()
        while not self._is_done(position):
            logs = self.step(*self._next(iterator, position))
            self.settle()
            position += 1
            before, clock = clock, _clock()
            times = {name: clock[name] - before[name] for name in clock}
            self.pending = position, logs, times
            ends_epoch = self._ends_epoch(position)
            saves = self.save_every and position % self.save_every == 0
            if ends_epoch or saves or interrupt.received:
                self.settle()
            if ends_epoch:
                self.end_epoch(interrupt)
            elif saves:
                self.save()
            if interrupt.received:
                raise KeyboardInterrupt
            if ends_epoch or saves:
                clock = _clock()

    def settle(self):
        """Read the results of the step before: by then they cost no waiting."""
        if self.pending is None:
            return
        (position, logs, times), self.pending = self.pending, None
        logs = {name: value.numpy().item() for name, value in logs.items()}
        if logs["failed"]:
            self._not_finite(position, logs, times)
            return
        self.record.add(logs, times, timed=self.timed)
        self.timed = True
        row = {
            "step": position,
            "epoch": self._epoch(position),
            "loss": logs["loss"],
            "learning_rate": logs["learning_rate"],
            "grad_norm": logs["grad_norm"],
            "images_per_s": logs["images"] / times["seconds"],
            **terms_of(logs),
        }
        if self.log_every and position % self.log_every == 0:
            self.log("step", row)
        self.emit("step", **row)

    def end_epoch(self, interrupt):
        """Validate, keep the best weights, write the row, save."""
        position = self.step.position
        try:
            metrics, best_path = self._validated(interrupt)
        except Exception:
            self.save()  # a failing validation must not cost the epoch's training
            raise
        value = self._monitored(metrics)
        is_best = self.record.is_better(value)
        self.record.judge(value, position)
        row = {"step": position, "epoch": self._epoch(position)}
        row |= self.record.end_epoch()
        row |= {f"val_{k}" if k in row else k: v for k, v in metrics.items()}
        row["is_best"] = is_best
        if self.history is not None:
            self.log("epoch", row)
        if best_path:
            self.emit("saved", step=position, path=str(best_path), best=True)
        self.saved = None  # one saved before the validation lacks its results
        self.save()
        self.emit("epoch", **row)

    def _validated(self, interrupt):
        """Return the metrics and, if they are the best, the file of the weights."""
        if self.validate is None:
            return {}, None
        with interrupt.at_once(), self.step.averaged_weights():
            metrics = dict(self.validate())
            is_best = self.record.is_better(self._monitored(metrics))
            if not is_best or self.folder is None or not self.writes:
                return metrics, None
            path = self.folder / "best.weights.h5"
            files.replace(path, self.step.model.save_weights)
            return metrics, path

    def save(self):
        """Write a checkpoint of this moment, once."""
        position = self.step.position
        if self.folder is None or not self.writes or self.saved == position:
            return
        extra = {
            "record": dataclasses.asdict(self.record),
            "fingerprint": self._circumstances(),
        }
        folder = self.folder / "checkpoints"
        path = checkpoints.save(folder, position, self.step.variables, extra)
        self.saved = position
        self.emit("saved", step=position, path=str(path), best=False)

    def stop_early(self):
        """Save after Ctrl-C; return what to tell."""
        self.settle()
        self.save()
        position = self.step.position
        message = f"Stopped at step {position} of {self.steps}. " + (
            "Nothing is saved, for there is no `run_dir`."
            if self.folder is None
            else f"Saved in {self.folder}: the same call goes on from there."
        )
        self.emit("stopped", step=position, reason="interrupted", message=message)
        return message

    def finish(self):
        """Report a run that came to its end."""
        position, record = self.step.position, self.record
        reason, message = "finished", f"Finished {position} steps."
        if position < self.steps:
            reason = "patience"
            message = (
                f"Stopped at step {position} of {self.steps}: no better "
                f"{self.monitor} than {record.best} of step {record.best_step} "
                f"in {record.stale_epochs} epochs."
            )
        self.emit("stopped", step=position, reason=reason, message=message)
        return FitResult(position, reason, record.best, record.best_step)

    def _not_finite(self, position, logs, times):
        """Write down the batch of a step that was not finite; stop, or go on."""
        numbers = {key: logs[key] for key in ("loss", "grad_norm")}
        names = list(self.names_of(position - 1)) if self.names_of else []
        self.record.skip(times)
        if self.history is not None:
            self.log("not_finite", {"step": position, **numbers, "samples": names})
        self.emit("not_finite", step=position, samples=names, **numbers)
        in_a_row = self.record.skipped_in_a_row
        if self.step.settings.skip_non_finite and in_a_row < MAX_SKIPPED_IN_A_ROW:
            return
        found = f" Its samples: {', '.join(names)}." if names else ""
        message = (
            f"Step {position} gave loss={logs['loss']} and grad_norm="
            f"{logs['grad_norm']}; both must be finite. The step was not applied, and "
            f"what was saved before is untouched.{found} Lower the learning rate, set "
            "`clip_norm`, or look for bad values in this batch."
        )
        if in_a_row > 1:
            message = f"{in_a_row} steps in a row were not finite. {message}"
        self.emit("stopped", step=position, reason="not finite", message=message)
        raise NonFiniteError(message, position, logs["loss"], logs["grad_norm"])

    def _monitored(self, metrics):
        if self.validate is None:
            return None
        if self.monitor not in metrics:
            raise ValueError(
                f"`validate` must report the monitored metric {self.monitor!r}. "
                f"Received: {', '.join(map(str, metrics))}."
            )
        return float(metrics[self.monitor])

    def _epoch(self, position):
        return math.ceil(position / self.steps_per_epoch)

    def _ends_epoch(self, position):
        return position % self.steps_per_epoch == 0 or position >= self.steps

    def _is_done(self, position):
        stale = self.record.stale_epochs
        out_of_patience = self.patience is not None and stale >= self.patience
        return position >= self.steps or out_of_patience

    def _next(self, iterator, position):
        try:
            return next(iterator)
        except StopIteration:
            raise ValueError(
                f"`batches` must go on to step {self.steps}. "
                f"Received: {position} steps, then its end."
            ) from None

    def _distributed(self, batches):
        strategy = self.step.strategy
        if strategy.num_replicas_in_sync > 1 and isinstance(batches, tf.data.Dataset):
            return strategy.experimental_distribute_dataset(batches)
        return batches

    def _circumstances(self):
        return {
            **fingerprint.of(self.step),
            "steps_per_epoch": self.steps_per_epoch,
        }


def _clock():
    """Wall and CPU time; the latter says what a step costs on a busy machine, too."""
    return {"seconds": time.perf_counter(), "cpu_seconds": time.process_time()}
