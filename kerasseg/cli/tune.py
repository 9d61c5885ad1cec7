"""The command `kerasseg tune`: a search for options of a recipe."""

import json
import os
import pathlib

from kerasseg import machine
from kerasseg.cli import data, plan

TRIALS = 20
ASKED = "asked.json"  # beside the recipe that a search began with
WISH = ("data", "format", "group", "set", "minutes", "task", "classes")


def add_arguments(command):
    """Add the arguments of `kerasseg tune` but the recipe to its parser."""
    plan.add_plan_arguments(command)
    command.add_argument(
        "--trials",
        type=int,
        default=TRIALS,
        metavar="N",
        help=f"number of trainings, bad ones cut short (default: {TRIALS})",
    )
    command.add_argument(
        "--out", default="tuned", metavar="DIR", help="folder of the search"
    )


def run(arguments):
    """Search rates, augmentation and losses of a recipe; goes on after a stop."""
    machine.use_onednn()
    from kerasseg import tune

    tune.require_optuna()  # before a plan takes its minutes
    say = _silent if arguments.json else print
    recipe = _recipe(arguments, say)

    def tell(event):
        if event["kind"] == "trial":
            values = ", ".join(f"{k} {x:.3g}" for k, x in event["values"].items())
            say(f"trial {event['number']}: {values}")
        elif event["kind"] == "tried":
            value = event["value"]
            score = "stopped early" if value is None else f"{100 * value:.2f} %"
            if event["best"] is not None:
                score += f"; best {100 * event['best']:.2f} %"
            say(f"  {score}")

    found = tune.tune(
        recipe,
        root=arguments.data,
        out=arguments.out,
        trials=arguments.trials,
        minutes=arguments.minutes,
        on_event=tell,
    )
    say(
        f"\nBest: {100 * found['best']:.2f} % ({found['trial']}), "
        f"{100 * found['start']:.2f} % before. Wrote {found['recipe']}.\n"
        f"Use it: kerasseg predict photo.jpg --run {arguments.out}/{found['trial']}"
    )
    return found


def _silent(*_):
    """Print nothing, for programs that read JSON."""


def _wish(arguments):
    """Options of a search but its recipe and the number of its trials."""
    wish = {name: getattr(arguments, name) for name in WISH}
    wish["data"] = arguments.data and os.path.abspath(arguments.data)
    return json.loads(json.dumps(wish))


def _recipe(arguments, say):
    """The recipe to search around: that of an earlier call, given, or planned."""
    from kerasseg import files, recipes

    begun = pathlib.Path(arguments.out, "base.toml")
    asked = pathlib.Path(arguments.out, ASKED)
    wish = _wish(arguments)
    if arguments.recipe is None and begun.is_file():
        before = json.loads(asked.read_text("utf-8")) if asked.is_file() else wish
        if changed := [name for name in wish if wish[name] != before.get(name)]:
            raise ValueError(
                f"The search in {arguments.out} goes on only as it began. Received: "
                f"another --{', --'.join(changed)}. Choose another --out."
            )
        say(f"Going on with the search in {arguments.out}.")
        return recipes.read(begun)
    if arguments.recipe is None and arguments.minutes is not None:
        recipe = plan.for_trials(arguments, arguments.trials)
    else:
        plan.check_unplanned(arguments)
        _, recipe, form = data.read_recipe(arguments)
        if form:
            say(form["text"])
    asked.parent.mkdir(parents=True, exist_ok=True)
    files.write_json(asked, wish)
    return recipe
