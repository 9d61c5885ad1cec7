"""`kerasseg predict --on`: very many images, resumable, on one machine or many."""

import contextlib
import datetime
import sys
import time

import rich.progress

from kerasseg.cli import clips, errors, options, progress, published, quiet

STOPPED = "interrupted; the same command goes on with what is missing"


def add_arguments(command):
    """Add the options of many images to a parser."""
    group = command.add_argument_group(
        "very many images, see docs/how_to/many_images.md"
    )
    group.add_argument(
        "--on",
        metavar="here|ray[=ADDRESS]",
        help="masks and tables in parts, of folders and of lists (.txt, .parquet) that "
        "may be longer than memory; a second call goes on after a stop. here: this "
        "process; ray: several of this machine, or those of the cluster at ADDRESS",
    )
    group.add_argument(
        "--workers", type=int, metavar="N", help="of ray (default: one for each core)"
    )
    group.add_argument(
        "--gpus-per-worker",
        type=float,
        default=0.0,
        metavar="G",
        help="of ray; half a GPU is .5 (default: 0)",
    )


def predict(arguments):
    """Predict as `kerasseg predict`, in parts; returns the report."""
    from kerasseg import runs

    if any(value is not None for value in clips.options_of(arguments).values()):
        raise ValueError("--smooth, --follow and --frames are not for --on.")
    try:
        stdout = contextlib.redirect_stdout(quiet.WithoutRay(sys.stdout))
        with stdout, Bar(silent=arguments.json) as bar:
            report = runs.predict_many(
                published.chosen(arguments),
                arguments.images,
                arguments.out,
                options=options.given(arguments),
                on=arguments.on,
                workers=arguments.workers,
                gpus=arguments.gpus_per_worker,
                on_shard=bar.update,
            )
    except KeyboardInterrupt as stop:
        stop.args = (STOPPED,)
        raise
    errors.list_failures(arguments, report["failed"])
    num, failed = report["images"], report["num_failed"]
    if not arguments.json:
        text = f"Wrote {num} prediction{'s' * (num != 1)} to {arguments.out}/."
        if failed:
            text += f" Without one: {failed}, named in images/*.parquet."
        print(text)
    if not num:
        raise ValueError("None of the images could be predicted.")
    return report


class Bar:
    """Progress of many images: a bar, or a line per minute in a log.

    Args:
        silent: draw nothing, for programs that read JSON.
    """

    def __init__(self, silent=False):
        self._console = progress.console(quiet=silent, highlight=False)
        self._bar = rich.progress.Progress(
            rich.progress.BarColumn(),
            rich.progress.MofNCompleteColumn(),
            rich.progress.TextColumn("{task.fields[text]}"),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("images", total=None, text="")
        self._begin, self._told = None, time.monotonic()

    def __enter__(self):
        self._bar.start()
        return self

    def __exit__(self, *error):
        self._bar.stop()

    def update(self, event):
        """Draw an event of `runs.predict_many`."""
        done, num, now = event["images"], event["num"], time.monotonic()
        text = ""
        if self._begin is None:
            self._begin = ()
            if done > 0:
                self._console.print(f"{done} of {num} images are there already.")
        elif not self._begin:  # before that, models were loaded
            self._begin = done, now
        else:
            rate = (done - self._begin[0]) / max(now - self._begin[1], 1e-3)
            left = datetime.timedelta(seconds=round((num - done) / rate))
            text = f"{rate:.1f} images/s  left {left}"
        self._bar.update(self._task, completed=done, total=num, text=text)
        if not self._console.is_terminal and now - self._told > 60:
            self._told = now
            self._console.print(f"{done} of {num} images  {text}")
