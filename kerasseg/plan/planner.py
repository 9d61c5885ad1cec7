"""From a folder and some minutes to a recipe: looks, tries, chooses."""

import dataclasses
import datetime
import json
import pathlib
import time

from kerasseg import machine, recipes, runs
from kerasseg.plan import choices, length, picking, sources, tries
from kerasseg.plan import facts as looking
from kerasseg.runs import devices

LEAST_MINUTES = 1


@dataclasses.dataclass(frozen=True)
class Request:
    """A wish for a plan.

    Attributes:
        data: [data] of a resolved recipe.
        root: folder of the data, or None.
        minutes: of the training.
        task: "semantic", "instances", or None to tell it by the data.
        overrides: as in `recipes.read`.
        model: [model] to train, such as that of the weights which `train.init` among
            the overrides names; None to choose one.
        begun: `time.monotonic()` from which the minutes count; None for the end of the
            planning.
    """

    data: dict
    root: str | None
    minutes: float
    task: str | None = None
    overrides: tuple = ()
    model: dict | None = None
    begun: float | None = None


@dataclasses.dataclass(frozen=True)
class Plan:
    """A recipe, and how it came about.

    Attributes:
        recipe: resolved recipe.
        notes: `runs.Notes` with a reason per choice.
    """

    recipe: dict
    notes: runs.Notes

    def text(self):
        """The recipe as TOML, with the reasons as comments."""
        return recipes.dump(self.recipe, self.notes.reasons, self.notes.head)


@dataclasses.dataclass(frozen=True)
class Looked:
    """Facts and choices from before a model is tried.

    Attributes:
        sides: {"train": Samples, "val": Samples}.
        data: [data], and {key: reason}.
        facts: `DataFacts`.
        task: "semantic" or "instances", and the reason.
        size: [height, width] of crops, and the reason.
        zoom: enlargement of images for detectors, and the reason; or None.
        check_s: seconds to read all files once.
    """

    sides: dict
    data: tuple
    facts: looking.DataFacts
    task: tuple
    size: tuple
    zoom: tuple | None
    check_s: float


def plan(request, *, on_event=None):
    """Make a recipe for some data, this machine and so many minutes.

    Looks at the files, tries one to three models for a short while on this machine, and
    chooses by what it has measured.

    Args:
        request: `Request`.
        on_event: function of dicts: "look" (done, total) and "plan" (text).

    Returns:
        `Plan`.

    Raises:
        ValueError: if the minutes are too few, the data do not suffice, or objects are
            asked for where there are none.
        ImageError: if the data cannot be read.
        RecipeError: for wrong overrides.
    """
    check_minutes(request.minutes)
    on_event = on_event or (lambda event: None)
    begun = request.begun or time.monotonic()
    looked = look(request, on_event)
    found = devices.prepare("auto", "none")
    with devices.precision_policy(found.precision):
        tried = tries.run(request, looked, on_event, begun)
    budgets = {
        one.name: tries.budget(request, looked, one, tried.scores)
        for one in tried.candidates
    }
    chosen, why = picking.pick(tried.candidates, tried.trials, budgets)
    measured, batch = tried.trials[chosen.name], None
    if ("train", "batch_size") in recipes.places(request.overrides):
        batch = measured.batch_size
    about_length = length.choose(
        looked.task[0], measured, budgets[chosen.name], batch=batch
    )
    made = [
        *tries.choices_for(looked, chosen, why, tried.scores),
        *about_length,
        *chosen.for_batch(choices.value_of(about_length, "batch_size")),
    ]
    return _plan(request, looked, tried, made, found.text)


def check_minutes(minutes):
    """Refuse minutes that are no time for a plan and a training."""
    if not LEAST_MINUTES <= minutes < float("inf"):  # NaN, too
        raise ValueError(
            f"`minutes` must be {LEAST_MINUTES} or more. Received: minutes={minutes:g}."
            " Loading TensorFlow, looking at the data and a short trial take most of a "
            "minute."
        )


def look(request, on_event=lambda event: None):
    """Read the data, and choose what needs no model; returns `Looked`."""
    begin = time.monotonic()
    data, sides, reasons = sources.read(request.data, request.root, request.task)

    def progress(done, total):
        on_event({"kind": "look", "done": done, "total": total})

    facts = looking.look(sides, on_progress=progress)
    task, why = choices.task(facts, request.task)
    on_event(
        {
            "kind": "plan",
            "text": f"{facts.num_train} train and {facts.num_val} val images of about "
            f"{facts.height} x {facts.width} px, {len(facts.classes)} classes; {task}: "
            f"{why}",
        }
    )
    for text in facts.remarks:
        on_event({"kind": "plan", "text": text})
    if task == "instances" and not facts.side_px:
        raise ValueError("There must be objects to train on. Received: none.")
    zoom = choices.zoom(facts, request.minutes) if task == "instances" else None
    size = choices.crop(facts, zoom and zoom[0])
    read = min(facts.num_train, looking.MOST_TRAIN)
    read += min(facts.num_val, looking.MOST_VAL)
    seconds = time.monotonic() - begin
    check_s = seconds * (facts.num_train + facts.num_val) / read
    return Looked(sides, (data, reasons), facts, (task, why), size, zoom, check_s)


def _plan(request, looked, tried, made, device):
    """The `Plan` of all choices."""
    tables, reasons = choices.assemble(made)
    recipe = recipes.complete(tables, request.overrides)
    reasons |= dict.fromkeys(recipes.places(request.overrides), "as given by --set")
    facts = looked.facts
    head = (
        f"Planned by kerasseg for {request.minutes:g} minutes on "
        f"{machine.cpu_name()}: {device}.",
        f"{facts.num_train} train and {facts.num_val} val images, "
        f"{looked.task[0]}: {looked.task[1]}.",
        "kerasseg train recipe.toml --data FOLDER",
    )
    facts_of_plan = {
        "request": about(request),
        "data": dataclasses.asdict(facts),
        "trials": {name: dataclasses.asdict(x) for name, x in tried.trials.items()},
        "scores_of_flips": tried.scores,
        "environment": machine.environment(),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    return Plan(recipe, runs.Notes(head, reasons, facts_of_plan))


def about(request):
    """A request as JSON holds it, to be found again: without the time of its start."""
    asked = dataclasses.asdict(request)
    asked.pop("begun")
    if request.root is not None:
        asked["root"] = str(pathlib.Path(request.root).resolve())
    return json.loads(json.dumps(asked))
