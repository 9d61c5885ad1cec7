"""Which models are tried, for how long, and what their trials tell."""

import time
import typing

from kerasseg import machine, recipes
from kerasseg.plan import augmentation, candidates, choices, length, picking, trial
from kerasseg.plan.choices import Choice
from kerasseg.plan.facts import FLIPS
from kerasseg.runs import choosing
from kerasseg.weights import catalog

FIRST_BATCH = {"semantic": 4, "instances": 2}  # crops of a step in a trial
SHARE = 0.15  # of the minutes, that trials may take
LATEST = 0.3  # of the minutes, after which no other model is tried
SETUP_S = 12  # of a trial, as long as it is not known
LEAST_S = 8  # a shorter training tells nothing
SINGLE_MINUTES = 5  # below, there is time to try one model only
PROXY_MINUTES = 10  # from which on flips are tried for models of objects, too


class Tried(typing.NamedTuple):
    """Results of all trials.

    Attributes:
        candidates: list of `Candidate`, the most promising one first.
        trials: {name: `Trial`}.
        scores: {"as it is" or flip: score} of a model that has seen no flips; None
            where none was scored.
    """

    candidates: list
    trials: dict
    scores: dict | None


def run(request, looked, on_event, begun):
    """Try the models that may fit; returns `Tried`.

    Args:
        request: `planner.Request`.
        looked: `planner.Looked`.
        on_event: as in `planner.plan`.
        begun: `time.monotonic()` at the beginning.

    Raises:
        RecipeError: if the user's overrides do not fit.
    """
    some, trials = _candidates(request, looked), {}
    share_s = SHARE * 60 * request.minutes
    seconds = share_s / len(some) - SETUP_S
    given = recipes.places(request.overrides)
    is_decided = len(some) == 1 and ("augment", "flip") in given
    if looked.task[0] != "semantic" or seconds < LEAST_S or is_decided:
        seconds = 0

    def measure(candidate, seconds):
        tables, _ = choices.assemble(choices_for(looked, candidate))
        recipe = recipes.complete(tables, request.overrides)
        on_event({"kind": "plan", "text": f"trying {candidate.name} ..."})
        found = trial.run(
            recipe,
            looked.sides,
            seconds=seconds,
            flips=tuple(FLIPS),
            mean_px=looked.facts.mean_px,
        )
        on_event({"kind": "plan", "text": f"  {found}"})
        return found

    def is_late():
        return time.monotonic() - begun > LATEST * 60 * request.minutes

    def can_be_trained(one):
        found = trials[one.name]
        left = budget(request, looked, one)
        return not found.error and length.steps(found, left) >= one.least_steps

    for one in some:
        tried = [other for other in some if other.name in trials]
        if not is_late() or not any(map(can_be_trained, tried)):
            trials[one.name] = measure(one, seconds)
    some = [
        picking.settled(one, trials[one.name]) for one in some if one.name in trials
    ]
    scored = [one for one in trials.values() if one.score is not None]
    if scored:
        return Tried(some, trials, max(scored, key=lambda one: one.score).scores)
    objects = looked.task[0] == "instances"
    if objects and request.minutes >= PROXY_MINUTES and not is_late():
        # Objects take long to be found; a map of classes shows soon what flips do.
        proxy = candidates.semantic(looked.facts, _is_here, 0)[0]
        scores = measure(proxy, max(share_s / 2 - SETUP_S, LEAST_S)).scores
        return Tried(some, trials, scores or None)
    return Tried(some, trials, None)


def _candidates(request, looked):
    """Models to try: one where the user has chosen it, or there is little time."""
    given, model = recipes.places(request.overrides), request.model
    if model is None and ("model", "architecture") in given:
        model = {"architecture": given["model", "architecture"]}
    if model is not None:
        kind = recipes.task_of({"model": model}).name
        why = "as asked for"
        return [candidates.Candidate(model["architecture"], model, why, kind)]
    short = request.minutes < SINGLE_MINUTES
    if looked.task[0] == "semantic":
        found = candidates.semantic(looked.facts, _is_here, request.minutes)
        return found[:1] if short else found
    size, zoom = looked.size[0], looked.zoom[0]
    found = candidates.instances(looked.facts, _is_here, size, zoom)
    return found[-1:] if short else found  # the fastest


def _is_here(encoder):
    """Whether the ImageNet weights of an encoder need no network."""
    entry = catalog.entries().get(f"{encoder}_imagenet")
    return entry is not None and entry.is_here()


def choices_for(looked, candidate, why="", scores=None):
    """All choices for a candidate but the length: list of `Choice`.

    Args:
        looked: `planner.Looked`.
        candidate: `Candidate`.
        why: reason to take it.
        scores: of `Tried`.
    """
    facts, (data, reasons) = looked.facts, looked.data
    # Outputs of other models are as large as the image, or half of it.
    zoom, size = looked.zoom, looked.size
    if candidate.kind != "instance":
        zoom = None
    if candidate.kind == "stars":
        size = choices.crop(facts, 1.0)
    fits = augmentation.fitting(facts, scores)
    most = choosing.MOST_IMAGES
    found = [
        *(Choice("data", key, x, reasons.get(key, "")) for key, x in data.items()),
        *augmentation.balance(facts),
        augmentation.choose(facts, fits, size, zoom[0] if zoom else 1.0),
        Choice("optimizer", "name", "adamw", ""),
        Choice("optimizer", "weight_decay", 1e-4, ""),
        Choice("train", "batch_size", FIRST_BATCH[looked.task[0]], ""),
        Choice(
            "train",
            "choose_thresholds",
            True,
            f"by up to {most} validation images, after training, into chosen.json",
        ),
        *choices.prediction(facts, candidate.kind, zoom),
    ]
    if candidate.kind == "semantic":
        found.append(choices.losses(facts))
    return [*found, *candidate.choices(why)]


def budget(request, looked, candidate, scores=None):
    """`length.Budget` of a training of a candidate that begins now."""
    left = 60 * request.minutes
    if request.begun is not None:
        left -= time.monotonic() - request.begun
    return length.Budget(
        seconds=left,
        check_s=looked.check_s,
        num_val=looked.facts.num_val,
        num_chosen=_num_chosen(looked, candidate, scores),
        free_mb=machine.free_memory_mb(),
    )


def _num_chosen(looked, candidate, scores):
    """Images that are predicted to choose thresholds, or whether flips help."""
    images = min(looked.facts.num_val, choosing.MOST_IMAGES)
    if candidate.kind != "semantic":
        return images
    fits = augmentation.fitting(looked.facts, scores)
    # Without flips, for least areas too, and with one or three of them.
    return (
        images
        * {0: 1, 1: 3, 2: 5}[sum(fits[flip][0] for flip in ("horizontal", "vertical"))]
    )
