"""Cross-validation: one run for each fold of the data, and their mean."""

import json
import pathlib
import statistics

from kerasseg import files, recipes
from kerasseg.runs import folder
from kerasseg.runs.training import train

SUMMARY = "folds.json"
LEAST, MOST = 2, 100


def train_folds(recipe, folds, *, root=None, out=None, name="run", **more):
    """Train a recipe once for each fold; the same call again goes on.

    Args:
        recipe: as in `train`.
        folds: number of folds, see `datasets.fold`.
        root: as in `train`.
        out: folder of the runs fold0, fold1, ...; None takes `runs/{name}-folds`, or
            the next number.
        name: as in `train`.
        more: further arguments of `train`.

    Returns:
        (folder, dict of `summary`), which folds.json there holds too.

    Raises:
        ValueError: for too few or too many folds.
        RunError: as `train`.
    """
    if not LEAST <= folds <= MOST:
        raise ValueError(f"`folds` must be in {LEAST}..{MOST}. Received: {folds}.")
    several = [of_fold(recipe, number, folds) for number in range(folds)]
    out = _choose(out, f"{name}-folds", several)
    results = []
    for number, one in enumerate(several):
        run = out / f"fold{number}"
        if not (run / "results.json").is_file():
            train(one, root=root, out=run, name=name, **more)
        else:
            folder.choose_folder(run, one, name)  # of this recipe?
        results.append(json.loads((run / "results.json").read_text("utf-8")))
    found = summary(results, recipes.task_of(recipe).monitor)
    files.write_json(out / SUMMARY, found)
    return out, found


def of_fold(recipe, number, folds):
    """The recipe of one fold."""
    return {**recipe, "data": {**recipe["data"], "folds": folds, "fold": number}}


def summary(results, monitor):
    """Mean and spread of the scores of several runs.

    Args:
        results: list of dicts of results.json.
        monitor: name of the score.

    Returns:
        JSON-able dict: "monitor", "scores", their "mean" and "std" (of a sample, with n
        - 1), and "classes": for each name the same of its own score. None where a score
        is missing.

    Example:
        >>> one, other = ({"mean_iou": x, "classes": {}} for x in (0.5, 0.75))
        >>> found = summary([one, other], "mean_iou")
        >>> found["mean"], round(found["std"], 4)
        (0.625, 0.1768)
    """
    key = {"mean_iou": "iou"}.get(monitor, monitor)
    classes = {name: None for one in results for name in one["classes"]}
    return {
        "monitor": monitor,
        **_spread([one.get(monitor) for one in results]),
        "classes": {
            name: _spread([one["classes"].get(name, {}).get(key) for one in results])
            for name in classes
        },
    }


def table(found):
    """The summary as text, in percent."""
    rows = [(f"fold {i}", x, None) for i, x in enumerate(found["scores"])]
    rows += [(name, x["mean"], x["std"]) for name, x in found["classes"].items()]
    rows.append(("mean", found["mean"], found["std"]))
    width = max(len(str(name)) for name, *_ in rows)
    lines = [f"{'':{width}}  {found['monitor'].replace('_', ' ')} %, spread over folds"]
    for name, mean, std in rows:
        score = "-" if mean is None else f"{100 * mean:.2f}"
        spread = "" if std is None else f"  +- {100 * std:.2f}"
        lines.append(f"{name:{width}}  {score:>6}{spread}")
    return "\n".join(lines)


def _spread(scores):
    known = [x for x in scores if x is not None]
    return {
        "scores": scores,
        "mean": statistics.fmean(known) if known else None,
        "std": statistics.stdev(known) if len(known) > 1 else None,
    }


def _choose(out, name, several):
    """The folder given, or a new one, or that of the same unfinished folds."""
    if out is not None:
        out = pathlib.Path(out)
        if not (out / "fold0").is_dir():
            folder.check_new(out)
        return out
    number, out = 1, folder.RUNS / name
    while (out / SUMMARY).is_file() or not _is_same(out / "fold0", several[0]):
        number += 1
        out = folder.RUNS / f"{name}-{number}"
    return out


def _is_same(run, recipe):
    """Whether a run is not there yet, or of this recipe."""
    try:
        folder.choose_folder(run, recipe, run.name)
    except folder.RunError:
        return False
    return True
