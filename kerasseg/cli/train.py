"""The command `kerasseg train`: a recipe, a plan, or a fold after another."""

import pathlib

from kerasseg import machine
from kerasseg.cli import data, plan, published, reports


def add_arguments(command):
    """Add the arguments of `kerasseg train` but the recipe to its parser."""
    command.add_argument("--out", metavar="RUN", help="run folder (default: runs/NAME)")
    command.add_argument(
        "--init",
        metavar="WEIGHTS",
        help="begin with published weights by name, those of a run folder, or a file; "
        "without a recipe, with their model, too",
    )
    published.add_licence_argument(command)
    plan.add_plan_arguments(command)
    command.add_argument(
        "--folds",
        type=int,
        metavar="K",
        help="cross-validate: K runs, each validated on another part of the data; with "
        "--minutes, all of them together take so long",
    )
    command.add_argument(
        "--distribute",
        default="auto",
        help="auto (all GPUs there are), none, mirrored, or multiworker (TF_CONFIG)",
    )


def run(arguments):
    """Train a recipe; the same command again resumes."""
    # Before TensorFlow is imported, and for training only: it slows single images down.
    machine.use_onednn()
    from kerasseg import runs
    from kerasseg.cli.progress import Progress

    say = _silent if arguments.json else print
    recipe, more = _recipe(arguments, say)
    train = runs.train
    if arguments.folds is not None:
        train, more = runs.train_folds, {**more, "folds": arguments.folds}
    with Progress(silent=arguments.json) as progress:
        out, results = train(
            recipe,
            root=arguments.data,
            distribute=arguments.distribute,
            on_event=progress.update,
            **more,
        )
    if not results:  # only the first of several workers has them
        return {"run": str(out)}
    if arguments.folds is None:
        say(results["table"])
        reports.write(out)
        say(f"\nWrote {out}/ with report.html, results.json and pictures.")
    else:
        _tell_folds(out, results, say)
    root = f" --data {arguments.data}" if arguments.data else ""
    say(
        f"Next:\n  kerasseg evaluate --run {out}{root}\n" * (arguments.folds is None)
        + "Next:\n" * (arguments.folds is not None)
        + f"  kerasseg predict --run {out} photo.jpg --out predictions\n"
        f"  kerasseg export --run {out} --out exported"
    )
    return {"run": str(out), **results}


def _silent(*_):
    """Print nothing, for programs that read JSON."""


def _recipe(arguments, say):
    """The recipe to train, and further arguments of `runs.train`."""
    from kerasseg import recipes

    model = published.warm_start(arguments)
    if arguments.minutes is not None:
        return plan.for_training(arguments, model)
    plan.check_unplanned(arguments)
    path, recipe, form = data.read_recipe(arguments, model)
    if form:
        say(form["text"])
    return recipe, {"out": arguments.out, "name": recipes.name(path)}


def _tell_folds(out, found, say):
    """Print the summary of folds, and write the page of each."""
    from kerasseg.runs import folds

    for one in sorted(pathlib.Path(out).glob("fold*/results.json")):
        reports.write(one.parent)
    say(folds.table(found))
    say(f"\nWrote {out}/ with folds.json, and a run for each fold.")
