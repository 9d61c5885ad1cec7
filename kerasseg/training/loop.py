"""The steps and epochs of one call of `fit`."""

import contextlib
import dataclasses
import math
import time
import warnings
from collections.abc import Callable

import tensorflow as tf

from kerasseg.training import environment, non_finite
from kerasseg.training.progress import Progress, terms_of
from kerasseg.training.run_files import RunFiles
from kerasseg.training.step import TrainStep
from kerasseg.training.validation import Validation


@dataclasses.dataclass(frozen=True)
class FitResult:
    """The end of a run.

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
    """One call of `fit`: its arguments, its progress, and the step under way."""

    step: TrainStep
    steps: int
    steps_per_epoch: int
    validation: Validation | None
    files: RunFiles
    listeners: list
    names_of: Callable | None
    progress: Progress = dataclasses.field(default_factory=Progress)
    pending: tuple | None = None  # (position, logs, times) of a step not yet read
    traced: bool = False  # False in the first step, whose time is that of tracing

    def emit(self, kind, **event):
        for listener in self.listeners:
            listener({"kind": kind, **event})

    def write_row(self, kind, row):
        if self.files.folder is not None:
            self.files.append_row({"kind": kind, **row})
            self.progress.history_rows += 1

    def resume(self):
        """Go back to the newest checkpoint, if there is one."""
        monitor = {"monitor": self.validation.monitor} if self.validation else {}
        self.emit("begin", step=self.step.position, steps=self.steps, **monitor)
        found, max_rows = self.files.load_checkpoint(self.step.variables), None
        if found:
            path, extra = found
            # "record" and "fingerprint" are part of the format of checkpoints.
            self.progress = Progress(**extra["record"])
            environment.warn_if_changed(extra["fingerprint"], self._environment())
            max_rows = self.progress.history_rows
            self.emit("resumed", step=self.step.position, path=str(path))
        if self.files.is_writer:
            self.progress.history_rows = self.files.truncate_history(
                self.step.position, max_rows
            )

    def train(self, batches, interrupt):
        """Run the steps that are left."""
        position = self.step.position
        if self._ends_epoch(position) and self.progress.epoch_has_begun:
            self.end_epoch(interrupt)  # the run was stopped in its validation
        if self._is_done(position):
            return
        iterator = iter(self._distributed(batches(position)))
        clock = _clock()
        while not self._is_done(position):
            logs = self.step(*self._next(iterator, position))
            self.read_results()
            # Counted here: reading the variable would wait for the device.
            position += 1
            before, clock = clock, _clock()
            times = {name: clock[name] - before[name] for name in clock}
            self.pending = position, logs, times
            ends_epoch = self._ends_epoch(position)
            saves = self.files.saves_at(position)
            if ends_epoch or saves or interrupt.received:
                self.read_results()
            if ends_epoch:
                self.end_epoch(interrupt)
            elif saves:
                self.save()
            if interrupt.received:
                raise KeyboardInterrupt
            if ends_epoch or saves:
                clock = _clock()  # validation and saving are no part of a step's time

    def read_results(self):
        """Read the results of the previous step: by now they cost no waiting.

        Reading those of the step just started would wait for the device, which would
        then wait for the next batch.
        """
        if self.pending is None:
            return
        (position, logs, times), self.pending = self.pending, None
        logs = {name: value.numpy().item() for name, value in logs.items()}
        if logs["failed"]:
            self._handle_non_finite(position, logs, times)
            return
        self.progress.add_step(logs, times, timed=self.traced)
        self.traced = True
        row = {
            "step": position,
            "epoch": self._epoch(position),
            "loss": logs["loss"],
            "learning_rate": logs["learning_rate"],
            "grad_norm": logs["grad_norm"],
            "images_per_s": logs["images"] / times["seconds"],
            **terms_of(logs),
        }
        if self.files.logs_at(position):
            self.write_row("step", row)
        self.emit("step", **row)

    def end_epoch(self, interrupt):
        """Validate, keep the best weights, write the row, save."""
        position = self.step.position
        try:
            metrics, value, best_path = self._validate(interrupt)
        except Exception:
            self.save()  # a failing validation must not cost the epoch's training
            raise
        is_best = self.progress.update_best(value, position)
        row = {"step": position, "epoch": self._epoch(position)}
        row |= self.progress.end_epoch()
        row |= {f"val_{k}" if k in row else k: v for k, v in metrics.items()}
        row["is_best"] = is_best
        self.write_row("epoch", row)
        if best_path:
            self.emit("saved", step=position, path=str(best_path), best=True)
        self.files.saved_step = None  # one saved before the validation lacks its result
        self.save()
        self.emit("epoch", **row)

    def _validate(self, interrupt):
        """Metrics, the monitored one, and the file of the weights if they are best."""
        if self.validation is None:
            return {}, None, None
        # Not the other way round: no signal may hit the exchange of the weights.
        with self.step.averaged_weights(), interrupt.at_once():
            metrics = dict(self.validation.validate())
            value = self.validation.monitored(metrics)
            if value is None:  # nothing to score; below all scores, which are in 0..1
                value = -self.progress.mean_loss()
            best_path = None
            if self.progress.is_better(value):
                best_path = self.files.save_best_weights(self.step.model)
        return metrics, value, best_path

    def save(self):
        """Write a checkpoint of this moment, once."""
        position = self.step.position
        extra = {
            "record": dataclasses.asdict(self.progress),
            "fingerprint": self._environment(),
        }
        path = self.files.save_checkpoint(position, self.step.variables, extra)
        if path:
            self.emit("saved", step=position, path=str(path), best=False)

    def stop_early(self, interrupt):
        """Save after Ctrl-C; return the message for the user."""
        saved = False
        # After a second one, weights and progress may be half a step apart, and only
        # the last checkpoint can be gone on from exactly.
        with contextlib.suppress(KeyboardInterrupt):
            if not interrupt.repeated:
                self.read_results()
                self.save()
                saved = True
        position, folder = self.step.position, self.files.folder
        message = f"Stopped at step {position} of {self.steps}. "
        if folder is None:
            message += "Nothing is saved, because there is no `folder`."
        elif saved:
            message += f"Saved in {folder.path}: the same call goes on from there."
        else:
            message = (
                f"Stopped at once, near step {position} of {self.steps}, without "
                f"saving: the same call goes on from the last checkpoint in "
                f"{folder.path}."
            )
        self.emit("stopped", step=position, reason="interrupted", message=message)
        return message

    def _remake_best_weights(self):
        """Write the file of the best weights if it is gone: the last ones must do."""
        if self.validation is None or not self.files.lacks_best_weights():
            return
        position, progress = self.step.position, self.progress
        if progress.best_step != position:
            best = f"those of step {progress.best_step} with {progress.best} are lost"
            if progress.best_step is None:
                best = "no epoch had a value of it"
            warnings.warn(
                f"The best weights by {self.validation.monitor} must be in "
                f"{self.files.folder.path}, and are not: {best}. Those of the last "
                f"step, {position}, take their place. For the best, train in a new "
                "folder.",
                stacklevel=2,
            )
        with self.step.averaged_weights():
            path = self.files.save_best_weights(self.step.model)
        self.emit("saved", step=position, path=str(path), best=True)

    def finish(self):
        """Report a run that came to its end."""
        self._remake_best_weights()
        position, progress = self.step.position, self.progress
        reason, message = "finished", f"Finished {position} steps."
        if position < self.steps:
            reason = "patience"
            message = (
                f"Stopped at step {position} of {self.steps}: no better "
                f"{self.validation.monitor} than {progress.best} of step "
                f"{progress.best_step} in {progress.stale_epochs} epochs."
            )
        self.emit("stopped", step=position, reason=reason, message=message)
        return FitResult(position, reason, progress.best, progress.best_step)

    def _handle_non_finite(self, position, logs, times):
        """Report the batch of a step that was not finite; stop, or go on."""
        values = {key: logs[key] for key in ("loss", "grad_norm")}
        names = list(self.names_of(position - 1)) if self.names_of else []
        self.progress.add_skipped_step(times)
        self.write_row("not_finite", {"step": position, **values, "samples": names})
        self.emit("not_finite", step=position, samples=names, **values)
        num_in_a_row = self.progress.skipped_in_a_row
        if (
            self.step.options.skip_non_finite
            and num_in_a_row < non_finite.MAX_SKIPPED_IN_A_ROW
        ):
            return
        message = non_finite.explain(position, *values.values(), names, num_in_a_row)
        self.emit("stopped", step=position, reason="not finite", message=message)
        raise non_finite.NonFiniteError(message, position, *values.values())

    def _epoch(self, position):
        return math.ceil(position / self.steps_per_epoch)

    def _ends_epoch(self, position):
        return position % self.steps_per_epoch == 0 or position >= self.steps

    def _is_done(self, position):
        if position >= self.steps or self.validation is None:
            return position >= self.steps
        return self.validation.is_out_of_patience(self.progress.stale_epochs)

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

    def _environment(self):
        return {
            **environment.describe(self.step),
            "steps_per_epoch": self.steps_per_epoch,
        }


def _clock():
    """Wall and CPU time; the latter is the cost of a step on a busy machine, too."""
    return {"seconds": time.perf_counter(), "cpu_seconds": time.process_time()}
