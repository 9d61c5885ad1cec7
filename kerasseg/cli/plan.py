"""`kerasseg plan`, and trainings that begin with a plan."""

import json
import os
import pathlib
import time

from kerasseg.cli import data

MINUTES = 15  # of `kerasseg plan` without --minutes
MARK = "# Planned by kerasseg"  # first words of a recipe that may be written over


def add_arguments(command):
    """Add the arguments of `kerasseg plan` to its parser."""
    data.add_arguments(command)
    add_plan_arguments(command)
    command.add_argument(
        "--out", metavar="FILE", help="write the recipe there (default: print it)"
    )


def add_plan_arguments(command):
    """Add what a plan asks for to a parser: time, task, classes."""
    group = command.add_argument_group("options of a plan")
    group.add_argument(
        "--minutes",
        type=float,
        metavar="N",
        help="plan a training that takes so long: look at --data, try models, choose",
    )
    group.add_argument(
        "--task",
        choices=("semantic", "instances"),
        help="map of classes, or objects one by one (default: told by the data)",
    )
    group.add_argument(
        "--classes",
        metavar="NAME,NAME,...",
        help="names of the classes by id, where the data do not name them",
    )


def run(arguments):
    """Look at data and machine, and say what to train, with a reason per choice."""
    from kerasseg import machine

    machine.use_onednn()
    from kerasseg import files, plan

    minutes = MINUTES if arguments.minutes is None else arguments.minutes
    plan.check_minutes(minutes)
    _check_recipe(arguments.out)
    request, form = _request(arguments, minutes)
    made = _make(request, form, silent=arguments.json)
    if arguments.out:
        files.replace_text(pathlib.Path(arguments.out), made.text())
    if not arguments.json:
        where = arguments.out or "recipe.toml"
        root = f" --data {arguments.data}" if arguments.data else ""
        print(f"Wrote {where}." if arguments.out else f"\n{made.text()}")
        print(f"Train it: kerasseg train {where}{root}")
    reasons = {f"{table}.{key}": x for (table, key), x in made.notes.reasons.items()}
    return {"recipe": made.recipe, "reasons": reasons, **made.notes.facts}


def for_training(arguments, model):
    """The recipe that a training begins with, planned now or when the run began.

    Args:
        arguments: of `kerasseg train`.
        model: as in `data.read_recipe`.

    Returns:
        (recipe, dict of further arguments of `runs.train`).
    """
    begun = time.monotonic()  # before TensorFlow is imported
    from kerasseg import plan, recipes, runs

    if arguments.recipe is not None:
        raise ValueError(
            "A recipe has a length of its own: give either --minutes or a recipe. "
            f"Received: {arguments.recipe} and --minutes {arguments.minutes:g}. Change "
            "its length by --set train.epochs=N."
        )
    name, out, folds = _name(arguments.data), arguments.out, arguments.folds
    # A second training on unlabelled images takes as long as the first one.
    minutes = arguments.minutes / ((folds or 1) * (1 + bool(arguments.unlabelled)))
    plan.check_minutes(minutes)
    request, form = _request(arguments, minutes, model, begun)
    place = out
    if folds is not None:  # the first of them holds the plan of all
        out = pathlib.Path(out or runs.folder.RUNS / f"{name}-folds")
        place = out / "fold0"
    if run := runs.find_planned(place, name, plan.about(request)):
        if not arguments.json:
            print(f"Going on with {run}/, planned before.")
        more = {"out": run if folds is None else out, "name": name}
        return recipes.read(run / "recipe.toml"), more
    _check_writable(out or runs.folder.RUNS)
    made = _make(request, form, silent=arguments.json)
    return made.recipe, {"out": out, "name": name, "notes": made.notes}


def for_trials(arguments, number):
    """The recipe of each of several trainings that share the minutes."""
    from kerasseg import plan

    minutes = arguments.minutes / number
    plan.check_minutes(minutes)
    request, form = _request(arguments, minutes)
    return _make(request, form, silent=arguments.json).recipe


def check_unplanned(arguments):
    """Refuse options of a plan for a training without one."""
    for flag in ("task", "classes"):
        if getattr(arguments, flag) is not None:
            raise ValueError(
                f"--{flag} is for a plan. Received: --{flag} "
                f"{getattr(arguments, flag)} without --minutes. Give --minutes N too."
            )


def _request(arguments, minutes, model=None, begun=None):
    """`plan.Request` of a command, and the form that its data are in, or None."""
    from kerasseg import plan, recipes

    if arguments.classes is not None:
        names = [name.strip() for name in arguments.classes.split(",")]
        arguments.set.insert(0, f"data.classes={json.dumps(names)}")
    if getattr(arguments, "folds", None) is not None:
        arguments.set += [f"data.folds={arguments.folds}", "data.fold=0"]
    of_data = [text for text in arguments.set if text.startswith("data.")]
    others = [text for text in arguments.set if not text.startswith("data.")]
    chosen = {**vars(arguments), "set": of_data, "recipe": None}
    _, recipe, form = data.read_recipe(type(arguments)(**chosen))
    recipes.places(others)  # refused now if they are none
    request = plan.Request(
        data=recipe["data"],
        root=arguments.data,
        minutes=minutes,
        task=arguments.task,
        overrides=tuple(others),
        model=model,
        begun=begun,
    )
    return request, form


def _make(request, form, *, silent):
    """The plan of a request, told about as it is made."""
    from kerasseg import plan
    from kerasseg.cli.check_data import Bar

    if form and not silent:
        print(form["text"])
    with Bar(silent) as bar:

        def tell(event):
            if event["kind"] == "look":
                bar.update(event["done"], event["total"])
            elif not silent:
                bar.close()
                print(event["text"], flush=True)

        return plan.plan(request, on_event=tell)


def _name(root):
    return pathlib.Path(root).resolve().name if root else "shapes"


def _check_recipe(path):
    """Refuse to write over anything but an earlier plan, before the work is done."""
    if path is None:
        return
    path = pathlib.Path(path)
    if path.is_dir() or path.suffix != ".toml":
        raise ValueError(
            f"--out must be a file, such as recipe.toml. Received: {path}."
        )
    if path.is_file() and not path.read_bytes().startswith(MARK.encode()):
        raise ValueError(
            f"--out must be a new file, or an earlier plan. Received: {path}, which is "
            "neither. Choose another name, or delete it."
        )
    _check_writable(path)


def _check_writable(path):
    """Refuse a place that cannot be written, before the work is done."""
    path = pathlib.Path(path).absolute()
    place = next(x for x in (path, *path.parents) if x.exists())
    fits = place.is_dir() or place == path
    if not fits or not os.access(place, os.W_OK):
        what = "cannot be written to" if fits else "is a file, not a folder"
        raise ValueError(f"--out must be writable. Received: {path}; {place} {what}.")
