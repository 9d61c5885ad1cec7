"""Progress of a training in the terminal: a live bar and a line per epoch."""

import contextlib
import datetime
import os
import signal
import time

import rich.console
import rich.progress

TELLING_STEPS = 10  # before that, the time left would be a guess


class _Console(rich.console.Console):
    """Console that leaves the end of a process to its caller."""

    def on_broken_pipe(self):
        """Raise the BrokenPipeError instead of an exit, without saving, by 1."""
        raise


def console(**options):
    """Console of rich that draws no bars in notebooks.

    A command after `!` writes to a pseudo-terminal, but its text is kept as it comes:
    every state of a bar would stay as a line.
    """
    in_notebook = "JPY_PARENT_PID" in os.environ  # set for the children of a kernel
    force = {"force_terminal": False} if in_notebook else {}
    return _Console(**force, **options)


class Progress:
    """Draws the events of `runs.train`; use as a context manager.

    Args:
        silent: draw nothing, for programs that read JSON.
    """

    def __init__(self, silent=False):
        self._console = console(quiet=silent, highlight=False)
        self._bar = rich.progress.Progress(
            rich.progress.TextColumn("epoch {task.fields[epoch]}"),
            rich.progress.BarColumn(),
            rich.progress.MofNCompleteColumn(),
            rich.progress.TextColumn("loss {task.fields[loss]:.4f}"),
            rich.progress.TimeElapsedColumn(),
            rich.progress.TextColumn("left {task.fields[left]}"),
            console=self._console,
            transient=True,
        )
        self._task, self._monitor = None, "mean_iou"
        self._told = time.monotonic()
        self._first = None  # step and time of the first step, whose own time is tracing

    def __enter__(self):
        self._bar.start()
        return self

    def __exit__(self, *error):
        with contextlib.suppress(OSError):
            self._bar.stop()

    def update(self, event):
        """Draw one event: a dict with "kind"; unknown kinds are ignored.

        Nothing is drawn on a terminal that was closed or into a log on a full disk, and
        the training goes on, to be saved. A reader that leaves (`| head`) ends it as a
        closed terminal does, by SIGHUP: it is saved, and under `nohup` goes on.
        """
        draw = getattr(self, f"_{event['kind']}", None)
        if not draw:
            return
        try:
            draw(event)
        except BrokenPipeError:
            self._console.quiet = True
            signal.raise_signal(getattr(signal, "SIGHUP", signal.SIGTERM))  # Windows
        except OSError:
            pass

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
            "train", total=event["steps"], epoch=1, loss=float("nan"), left="-:--"
        )

    def _resumed(self, event):
        self._console.print(f"resumed at step {event['step']}")
        self._bar.update(self._task, completed=event["step"])

    def _step(self, event):
        loss, epoch, step = event["loss"], event["epoch"], event["step"]
        total, now = self._bar.tasks[self._task].total, time.monotonic()
        self._first = self._first or (step, now)
        done = step - self._first[0]
        fields = {"loss": loss, "epoch": epoch}
        if done >= TELLING_STEPS - 1:
            seconds = (now - self._first[1]) / done * (total - step)
            fields["left"] = str(datetime.timedelta(seconds=round(seconds)))
        self._bar.update(self._task, completed=step, **fields)
        # A log file shows no bar: a line at the tenth step, and one per minute.
        is_due = done == TELLING_STEPS - 1 or now - self._told > 60
        if not self._console.is_terminal and is_due:
            self._told = now
            left = f"  left {fields['left']}" if "left" in fields else ""
            self._console.print(
                f"epoch {epoch:>3}  step {step:>6} of {total}  loss {loss:.4f}  "
                f"{event['images_per_s']:.1f} images/s{left}"
            )

    def _not_finite(self, event):
        names = ", ".join(event["samples"])
        self._console.print(
            f"step {event['step']} gave loss={event['loss']}, "
            f"grad_norm={event['grad_norm']}: {names}",
            style="yellow",
        )

    def _epoch(self, event):
        score = event[self._monitor]
        best = "  best" * bool(event["is_best"])
        if score is None:  # nothing in the validation data to score
            score, best = "-", best and "  best by loss"
        else:
            score = f"{score:.4f}"
        words = {"iou": "IoU", "ap": "AP", "pq": "PQ"}
        name = " ".join(words.get(x, x) for x in self._monitor.split("_"))
        self._console.print(
            f"epoch {event['epoch']:>3}  step {event['step']:>6}  "
            f"loss {event['loss']:.4f}  {name} {score}  "
            f"{event['images_per_s']:.1f} images/s{best}"
        )

    def _chosen(self, event):
        found = ", ".join(f"{key}={value}" for key, value in event["options"].items())
        if found:
            self._console.print(f"chosen on validation images: {found}")

    def _stopped(self, event):
        if event["reason"] != "interrupted":  # that message comes with the exit code
            self._console.print(event["message"])
