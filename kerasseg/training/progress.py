"""The progress of a run: running means, best value, patience."""

import dataclasses
import math


def _no_sums():
    return {
        "steps": 0,
        "loss": 0.0,
        "grad_steps": 0,
        "grad_norm": 0.0,
        "seconds": 0.0,
        "cpu_seconds": 0.0,
        "timed_images": 0,
        "timed_seconds": 0.0,
        "skipped": 0,
    }


def terms_of(numbers):
    """The terms of an objective among the logs of a step: those named "loss_..."."""
    return {k: value for k, value in numbers.items() if k.startswith("loss_")}


@dataclasses.dataclass
class Progress:
    """The state of a run besides its variables; JSON in the checkpoint.

    The names of the attributes and of the sums are part of the format of checkpoints.

    Attributes:
        best, best_step: largest value of the monitored metric so far, and its step.
        stale_epochs: epochs since then.
        learning_rate: of the last step.
        history_rows: number of rows that belong to the run up to here.
        skipped_in_a_row: steps since the last one that was finite.
        sums: of the steps of the current epoch.
    """

    best: float | None = None
    best_step: int | None = None
    stale_epochs: int = 0
    learning_rate: float | None = None
    history_rows: int = 0
    skipped_in_a_row: int = 0
    # Sums, not means: those of a resumed epoch go on without rounding.
    sums: dict = dataclasses.field(default_factory=_no_sums)

    @property
    def epoch_has_begun(self):
        return self.sums["steps"] + self.sums["skipped"] > 0

    def add_step(self, logs, times, *, timed):
        """Count a step; `timed` unless it was the first, which includes tracing."""
        sums = self.sums
        sums["steps"] += 1
        sums["loss"] += logs["loss"]
        for name, value in terms_of(logs).items():
            sums[name] = sums.get(name, 0.0) + value
        if math.isfinite(logs["grad_norm"]):  # a LossScaleOptimizer lets overflows pass
            sums["grad_steps"] += 1
            sums["grad_norm"] += logs["grad_norm"]
        self._add_times(times)
        if timed:
            sums["timed_images"] += logs["images"]
            sums["timed_seconds"] += times["seconds"]
        self.learning_rate = logs["learning_rate"]
        self.skipped_in_a_row = 0

    def add_skipped_step(self, times):
        """Count a step that was not finite, and therefore changed nothing."""
        self.sums["skipped"] += 1
        self._add_times(times)
        self.skipped_in_a_row += 1

    def _add_times(self, times):
        for name, seconds in times.items():
            self.sums[name] += seconds

    def update_best(self, value, position):
        """Take the metric of an epoch (None without one); return whether it is best."""
        is_best = self.is_better(value)
        self.stale_epochs += 1
        if is_best:
            self.best, self.best_step, self.stale_epochs = value, position, 0
        return is_best

    def is_better(self, value):
        """Whether a metric beats all before it; NaN never does."""
        if value is None or math.isnan(value):
            return False
        return self.best is None or value > self.best

    def mean_loss(self):
        """Mean loss of the epoch so far; NaN before its first step."""
        sums = self.sums
        return sums["loss"] / sums["steps"] if sums["steps"] else math.nan

    def end_epoch(self):
        """Return the means of the epoch as a row, and begin the next."""
        loss = self.mean_loss()
        sums, self.sums = self.sums, _no_sums()
        row = {
            "loss": loss,
            "learning_rate": self.learning_rate,
            "grad_norm": sums["grad_norm"] / max(sums["grad_steps"], 1),
            "images_per_s": sums["timed_images"] / (sums["timed_seconds"] or math.inf),
            "seconds": sums["seconds"],
            "cpu_seconds": sums["cpu_seconds"],
        }
        row |= {k: value / sums["steps"] for k, value in terms_of(sums).items()}
        if sums["skipped"]:
            row["skipped_steps"] = sums["skipped"]
        return row
