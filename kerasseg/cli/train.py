"""The command `kerasseg train`: a recipe, a plan, or a fold after another."""

import json
import pathlib

from kerasseg import machine, tasks
from kerasseg.cli import data, plan, published, reports, restarts


def add_arguments(command):
    """Add the arguments of `kerasseg train` but the recipe to its parser."""
    command.add_argument("--out", metavar="RUN", help="run folder (default: runs/NAME)")
    command.add_argument(
        "--init",
        metavar="WEIGHTS",
        help="begin with published weights by name, those of a folder, or a file; "
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
        "--unlabelled",
        metavar="FOLDER",
        help="images without labels: a second training on what the model says of them, "
        "kept only if the validation gains",
    )
    command.add_argument(
        "--distribute",
        default="auto",
        help="auto (all GPUs there are), none, mirrored, or multiworker (TF_CONFIG)",
    )
    restarts.add_argument(command)


def run(arguments):
    """Train a recipe; the same command again resumes."""
    # Before TensorFlow is imported.
    machine.use_onednn()
    from kerasseg.cli.progress import Progress

    say = _silent if arguments.json else print
    if arguments.restarts < 0:
        raise ValueError(
            f"--restarts must be 0 or more. Received: {arguments.restarts}."
        )
    if arguments.unlabelled is not None:
        _check_unlabelled(arguments)
    recipe, more = _recipe(arguments, say)
    with restarts.told_of_loss(), Progress(silent=arguments.json) as progress:
        out, results = _train(arguments, recipe, {**more, "on_event": progress.update})
    if not results:  # only the first of several workers has them
        return {"run": str(out)}
    if arguments.folds is not None:
        _tell_folds(out, results, say)
    else:
        _tell(out, results, say)
    root = f" --data {arguments.data}" if arguments.data else ""
    evaluation = f"  kerasseg evaluate --run {out}{root}\n"
    say(
        "Next:\n"
        + evaluation * (arguments.folds is None)
        + f"  kerasseg predict --run {out} photo.jpg --out predictions\n"
        f"  kerasseg export --run {out} --out exported"
    )
    return {"run": str(out), **results}


def _train(arguments, recipe, more):
    """The run folder and its results, after one training, several, or a second one."""
    from kerasseg import runs

    more |= {"root": arguments.data, "distribute": arguments.distribute}
    if arguments.folds is not None:
        return runs.train_folds(recipe, arguments.folds, **more)
    out, results = runs.train(recipe, **more)
    if not results or arguments.unlabelled is None:
        return out, results
    keys = "root", "distribute", "on_event"
    given = {key: more[key] for key in keys}
    verdict = runs.train_student(out, arguments.unlabelled, **given)
    if verdict["kept"]:
        results = json.loads((out / "results.json").read_text(encoding="utf-8"))
        results["table"] = tasks.of_results(results).table(results)
    return out, {**results, "unlabelled": verdict}


def _tell(out, results, say):
    """Print the results of a run, and write its page."""
    say(results["table"])
    if "unlabelled" in results:
        say(_verdict(results["unlabelled"]))
    reports.write(out)
    say(f"\nWrote {out}/ with report.html, results.json and pictures.")


def _silent(*_):
    """Print nothing, for programs that read JSON."""


def _check_unlabelled(arguments):
    """Refuse at once what would fail after a training."""
    from kerasseg import images

    if arguments.folds is not None:
        raise ValueError("Give either --folds or --unlabelled.")
    if not images.find_pictures(arguments.unlabelled)[0]:
        raise ValueError(
            f"--unlabelled must hold images. Received: none in {arguments.unlabelled}."
        )


def _verdict(found):
    """A sentence about the outcome of the second training."""
    before, after = (
        "-" if x is None else f"{100 * x:.2f}"
        for x in (found["before"], found["after"])
    )
    what = "kept" if found["kept"] else "left as it was"
    return (
        f"With {found['images']} images labelled by the model: {after} after {before} "
        f"on the validation images, so the run is {what}."
    )


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
