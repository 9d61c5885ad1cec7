"""Progress of a training in the terminal: a live bar and a line per epoch."""

import contextlib
import time

import rich.console
import rich.progress


class Progress:
    """Draws the events of `runs.train`; use as a context manager.

    Args:
        silent: draw nothing, for programs that read JSON.
    """

    def __init__(self, silent=False):
        self._console = rich.console.Console(quiet=silent, highlight=False)
        self._bar = rich.progress.Progress(
            rich.progress.TextColumn("epoch {task.fields[epoch]}"),
            rich.progress.BarColumn(),
            rich.progress.MofNCompleteColumn(),
            rich.progress.TextColumn("loss {task.fields[loss]:.4f}"),
            rich.progress.TimeElapsedColumn(),
            rich.progress.TextColumn("left"),
            rich.progress.TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._task, self._monitor = None, "mean_iou"
        self._told = time.monotonic()

    def __enter__(self):
        self._bar.start()
        return self

    def __exit__(self, *error):
        with contextlib.suppress(OSError):
            self._bar.stop()

    def update(self, event):
        """Draw one event: a dict with "kind"; unknown kinds are ignored.

        Nothing is drawn on a terminal that was closed or into a log on a full disk, and
        the training goes on, to be saved.
        """
        draw = getattr(self, f"_{event['kind']}", None)
        if draw:
            with contextlib.suppress(OSError):
                draw(event)

    def _device(self, event):
        self._console.print(event["text"])

    def _data(self, event):
        report = event["report"]
        self._console.print(f"{event['side']}: {report['num_samples']} samples")
        for warning in report["warnings"]:
            self._console.print(f"  warning: {warning}", style="yellow")

    def _begin(self, event):
        self._monitor = event.get("monitor", self._monitor)
        self._task = self._bar.add_task(
            "train", total=event["steps"], epoch=1, loss=float("nan")
        )

    def _resumed(self, event):
        self._console.print(f"resumed at step {event['step']}")
        self._bar.update(self._task, completed=event["step"])

    def _step(self, event):
        loss, epoch = event["loss"], event["epoch"]
        self._bar.update(self._task, completed=event["step"], loss=loss, epoch=epoch)
        if not self._console.is_terminal and time.monotonic() - self._told > 60:
            # A log file shows no bar: one line per minute.
            self._told = time.monotonic()
            self._console.print(
                f"epoch {epoch:>3}  step {event['step']:>6} of "
                f"{self._bar.tasks[self._task].total}  loss {loss:.4f}  "
                f"{event['images_per_s']:.1f} images/s"
            )

    def _not_finite(self, event):
        names = ", ".join(event["samples"])
        self._console.print(
            f"step {event['step']} gave loss={event['loss']}, "
            f"grad_norm={event['grad_norm']}: {names}",
            style="yellow",
        )

    def _epoch(self, event):
        best = "  best" if event["is_best"] else ""
        name = self._monitor.replace("_", " ").replace("iou", "IoU")
        name = name.replace("ap", "AP").replace("pq", "PQ")
        self._console.print(
            f"epoch {event['epoch']:>3}  step {event['step']:>6}  "
            f"loss {event['loss']:.4f}  {name} {event[self._monitor]:.4f}  "
            f"{event['images_per_s']:.1f} images/s{best}"
        )

    def _stopped(self, event):
        if event["reason"] != "interrupted":  # that message comes with the exit code
            self._console.print(event["message"])
