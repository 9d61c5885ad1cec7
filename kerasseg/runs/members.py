"""Several runs as one: an ensemble of their models, and the name it goes by."""

import pathlib

from kerasseg.runs.folder import RunError, load, read

SAME = ("classes", "channels", "value_range", "ignore_label")
MOST_NAME = 80  # characters


def load_all(runs, score_threshold=None):
    """Model, recipe and facts of several runs, as `folder.load` gives those of one.

    Args:
        runs: run folders.
        score_threshold: see `folder.load`.

    Returns:
        (keras.Model of `zoo.ensemble`, recipe of the first with options of prediction
        as `_agreed` says, facts of the first).

    Raises:
        RunError: if the runs do not fit together.
        ValueError: if their models cannot be averaged.
    """
    from kerasseg import zoo

    found = [load(run, score_threshold) for run in runs]
    _check(runs, [facts for _, _, facts in found])
    recipe, facts = _first([(recipe, facts) for _, recipe, facts in found], runs)
    return zoo.ensemble([model for model, _, _ in found]), recipe, facts


def read_all(runs):
    """Recipe and facts of several runs, as `load_all` gives them."""
    return _first([read(run) for run in runs], runs)


def expand(paths):
    """Run folders, those of folds in place of the folder that holds them.

    Args:
        paths: folders, runs or of `runs.train_folds`.
    """
    found = []
    for path in map(pathlib.Path, paths):
        inner = [] if (path / "recipe.toml").is_file() else [*path.glob("fold*")]
        inner = [one for one in inner if (one / "recipe.toml").is_file()]
        found += sorted(inner, key=lambda x: (len(x.name), x.name)) or [path]
    return found


def name_of(runs):
    """Name of an ensemble: of its folder of folds, or of all members."""
    parents = {pathlib.Path(run).resolve().parent for run in runs}
    names = [pathlib.Path(run).name for run in runs]
    if len(parents) == 1 and all(name.startswith("fold") for name in names):
        return parents.pop().name
    return "+".join(names)[:MOST_NAME]


def _first(found, runs):
    recipe, facts = found[0]
    predict = _agreed([recipe["predict"] for recipe, _ in found])
    return {**recipe, "predict": predict}, {**facts, "name": name_of(runs)}


def _agreed(options):
    """Options of prediction of the first, and the mean of each chosen threshold."""
    first = dict(options[0])
    scores = [one["score_threshold"] for one in options if "score_threshold" in one]
    if scores:
        first["score_threshold"] = sum(scores) / len(scores)
    return first


def _check(runs, facts):
    for run, one in zip(runs, facts):
        for key in SAME:
            if one.get(key) != facts[0].get(key):
                raise RunError(
                    f"Runs of an ensemble must have the same {key}. Received: "
                    f"{facts[0].get(key)} in {runs[0]}, {one.get(key)} in {run}."
                )
