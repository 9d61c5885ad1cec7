"""Trainings of a search: suggested by Optuna, pruned, kept in SQLite, gone on with."""

import contextlib
import json
import pathlib
import shutil
import time

from kerasseg import files, recipes, runs
from kerasseg.tune.space import changed, dimensions, option_of, starting_point

NAME = "kerasseg"
FIRST = "trial0"  # the recipe as it is
RANDOM = 5  # first trials that are drawn, before the sampler has something to go by
UNPRUNED = 3  # trials that must be done before others are stopped early
RESULT = "tune.json"


class _Pruned(Exception):
    """A training that Optuna stops."""


def tune(recipe, *, root=None, out, trials=20, minutes=None, on_event=None, train=None):
    """Search the options of a recipe by training it again and again.

    The first trial is the recipe as it is. Each later one that is worse after a
    validation than most others were at that point is stopped. All trials are kept in
    OUT/study.db, so that the same call goes on: with the number of trials, and inside
    of the training that was stopped.

    Args:
        recipe: resolved recipe.
        root: folder of the data.
        out: folder of study.db, the runs trial0, trial1, ..., tune.json, and
            recipe.toml, the best recipe.
        trials: number of all trials, those before a stop too.
        minutes: no trial is begun that would probably end later; None sets no end.
        on_event: function of dicts: "trial" (number, values), "tried" (number, value,
            best; value is None where it was pruned), and those of `runs.train`.
        train: in place of `runs.train`, for tests.

    Returns:
        dict: "best" (score), "trial" (its number), "values", "start" (score of the
        recipe as it was), "trials" (list), "recipe" (path).

    Raises:
        ImportError: without Optuna.
        RunError: if `out` holds a search of another recipe.
        ValueError: if nothing can be searched, or for numbers that are none.
    """
    if trials < 1:
        raise ValueError(f"`trials` must be at least 1. Received: {trials}.")
    optuna, out = require_optuna(), pathlib.Path(out)
    study = _study(optuna, out, recipe)
    begun, durations = time.monotonic(), []
    on_event = on_event or (lambda event: None)
    while len(_done(study)) < trials:
        start = time.monotonic()
        spent = start - begun
        if minutes and durations and spent + max(durations) > 60 * minutes:
            break
        _try(optuna, study, recipe, out, (root, on_event, train or runs.train))
        durations.append(time.monotonic() - start)
    return _finish(study, recipe, out)


def require_optuna():
    """The package Optuna, or an ImportError that says how to install it."""
    try:
        import optuna
    except ImportError as error:
        raise ImportError(
            "A search needs Optuna. Install it: pip install 'kerasseg[tune]'."
        ) from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _study(optuna, out, recipe):
    """The study in a folder, begun or gone on with."""
    base = out / "base.toml"
    if base.is_file() and recipes.read(base) != recipe:
        raise runs.RunError(
            f"{out} holds a search of another recipe, {base}. Choose another --out."
        )
    out.mkdir(parents=True, exist_ok=True)
    if not base.is_file():
        files.replace_text(base, recipes.dump(recipe))
    seed = recipe["train"]["seed"]
    study = optuna.create_study(
        study_name=NAME,
        storage=f"sqlite:///{out / 'study.db'}",
        load_if_exists=True,
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=RANDOM),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=UNPRUNED),
    )
    if not study.trials:
        study.enqueue_trial(starting_point(recipe), user_attrs={"folder": FIRST})
    state = optuna.trial.TrialState
    for one in study.get_trials(states=(state.RUNNING,)):  # of a process that is gone
        study.tell(one.number, state=state.FAIL)
        study.enqueue_trial(one.params, user_attrs=one.user_attrs)
    return study


def _done(study):
    """Trials that ended by themselves or were pruned."""
    return [one for one in study.trials if one.state.name in ("COMPLETE", "PRUNED")]


def _try(optuna, study, recipe, out, how):
    """Train one suggestion, and tell the study."""
    (root, on_event, train), trial = how, study.ask()
    values = {
        one.name: trial.suggest_float(one.name, one.low, one.high, log=one.log)
        for one in dimensions(recipe)
    }
    if "folder" not in trial.user_attrs:
        trial.set_user_attr("folder", f"trial{trial.number}")
    folder = out / trial.user_attrs["folder"]
    suggested = recipe if folder.name == FIRST else changed(recipe, values)
    monitor = recipes.task_of(recipe).monitor
    on_event({"kind": "trial", "number": trial.number, "values": values})

    def listen(event):
        on_event(event)
        if event["kind"] == "epoch" and event.get(monitor) is not None:
            trial.report(event[monitor], event["epoch"])
            if trial.should_prune():
                raise _Pruned

    try:
        _, results = train(suggested, root=root, out=folder, name=NAME, on_event=listen)
    except _Pruned:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        value = None
    except ArithmeticError:  # a learning rate that is too high: no score, but an answer
        study.tell(trial, 0.0)
        value = 0.0
    else:
        value = results[monitor] or 0.0
        study.tell(trial, value)
    with contextlib.suppress(OSError):  # of finished trainings nobody goes on
        shutil.rmtree(folder / "checkpoints")
    best = study.best_value if _completed(study) else None
    on_event({"kind": "tried", "number": trial.number, "value": value, "best": best})


def _completed(study):
    return [one for one in study.trials if one.state.name == "COMPLETE"]


def _finish(study, recipe, out):
    """Write the best recipe and the list of trials."""
    if not _completed(study):
        raise ValueError("No trial has ended. Give more minutes, or more trials.")
    best, start = study.best_trial, starting_point(recipe)
    first = next(x for x in _completed(study) if x.user_attrs["folder"] == FIRST)
    found = {
        "best": best.value,
        "trial": best.user_attrs["folder"],
        "values": best.params,
        "start": first.value,
        "trials": [
            {"number": x.number, "state": x.state.name, "value": x.value, **x.params}
            for x in _done(study)
        ],
        "recipe": str(out / "recipe.toml"),
    }
    num = len(_done(study))
    reasons = {
        option_of(name): f"the best of {num} trials: {name} {value:.4g} after {was:.4g}"
        for name, value, was in ((x, best.params[x], start[x]) for x in best.params)
    }
    head = (
        f"Tuned by kerasseg: {100 * best.value:.2f} % in {found['trial']}, "
        f"{100 * first.value:.2f} % before.",
    )
    text = recipes.dump(changed(recipe, best.params), reasons, head)
    files.replace_text(out / "recipe.toml", text)
    files.replace_text(out / RESULT, json.dumps(found, indent=1) + "\n")
    return found
