"""Two or more runs beside each other: which differences are more than noise."""

import json
import pathlib

import numpy as np

from kerasseg import tasks
from kerasseg.tasks.task import percent

# Of fewer pairs a sign test finds nothing, even if all have the same sign: 2 / 2^5 is
# more than 5 %.
LEAST_IMAGES = 6


def compare(runs):
    """Compare runs image by image, each with the first.

    Both runs scored the same images, so what one image adds to the scores of both does
    not count: images are drawn in pairs, and the interval is that of the mean
    difference of their scores.

    Args:
        runs: folders with results.json, two or more.

    Returns:
        dict of "score" (its name), "images" (how many all runs have), "runs": for each
        "run", "score" (the number of results.json), "image_mean" (mean of the images'
        scores) and, but for the first, "difference" to it, "interval" of 95 %,
        "better" and "worse" (numbers of images), and "noise", whether the interval
        holds 0 or there are fewer than 6 images; and "doubts", sentences on why the
        images may not be the same.

    Raises:
        ValueError: if there are fewer than two runs, or they have not scored the same
            images with the same score.
    """
    if len(runs) < 2:
        raise ValueError(f"There must be two runs to compare. Received: {len(runs)}.")
    results = [_results(run) for run in runs]
    kinds = [tasks.of_results(one) for one in results]
    key, monitor = kinds[0].row_score, kinds[0].monitor
    if any(kind.row_score != key for kind in kinds):
        names = ", ".join(kind.name for kind in kinds)
        raise ValueError(f"Runs must be of one kind. Received: {names}.")
    scores = [
        {row["name"]: row[key] for row in one["samples"] if row[key] is not None}
        for one in results
    ]
    # Pairs only: an image that one run could not score says nothing about the other.
    shared = sorted(set.intersection(*map(set, scores)))
    if not shared:
        raise ValueError(
            "The runs have no image in common: evaluate them on the same split. "
            f"Received: {', '.join(str(one['split']) for one in results)}."
        )
    values = np.array([[one[name] for name in shared] for one in scores])
    rows = [
        {"run": str(run), "score": one[monitor], "image_mean": float(found.mean())}
        for run, one, found in zip(runs, results, values)
    ]
    for row, found in zip(rows[1:], values[1:]):
        row.update(_difference(found - values[0]))
    found = {"score": monitor, "images": len(shared), "runs": rows}
    return {**found, "doubts": _doubts(runs, results)}


def _doubts(runs, results):
    """Images are paired by name; of other data they may be others of the same name."""
    read = {"folders": [_root(run) for run in runs]}
    read["splits"] = [one.get("split") for one in results]
    return [
        f"The runs were scored on different {kind}, {', '.join(known)}: images were "
        "paired by their names."
        for kind, values in read.items()
        if len(known := list(dict.fromkeys(x for x in values if x))) > 1
    ]


def _root(run):
    """The folder of the data of a run; None if it is not known."""
    path = pathlib.Path(run) / "run.json"
    return json.loads(path.read_text("utf-8")).get("root") if path.is_file() else None


def _difference(differences):
    low, high = mean_interval(differences)
    return {
        "difference": float(differences.mean()),
        "interval": [low, high],
        "better": int(np.sum(differences > 0)),
        "worse": int(np.sum(differences < 0)),
        "noise": bool(low <= 0 <= high) or len(differences) < LEAST_IMAGES,
    }


def table(comparison):
    """A comparison as text, in percent."""
    rows = comparison["runs"]
    width = max(len(row["run"]) for row in rows)
    name = comparison["score"].replace("_", " ")
    lines = [
        f"{comparison['images']} images that all runs scored; differences are means of "
        "the images' own scores.",
        f"{'run':{width}}  {name:>10}  difference   95 % interval   better/worse",
    ]
    is_few = comparison["images"] < LEAST_IMAGES
    for row in rows:
        line = f"{row['run']:{width}}  {percent(row['score'], 2):>10}"
        if "interval" in row:
            ends = " to ".join(f"{100 * x:+.2f}" for x in row["interval"])
            verdict = "noise" if row["noise"] else "more than noise"
            verdict = "too few images" if is_few else verdict
            counts = f"{row['better']}/{row['worse']}"
            line += f"  {100 * row['difference']:>+10.2f}  {ends:>16}"
            line += f"  {counts:>12}  {verdict}"
        lines.append(line)
    return "\n".join([*lines, *comparison["doubts"]])


def mean_interval(values, *, level=0.95, num=10_000, seed=0):
    """Interval of the mean of one value per image.

    Args:
        values: finite numbers [N].
        level: share of the replicates that lie in it.
        num: replicates.
        seed: int.

    Returns:
        (low, high) floats; NaN without values.

    Example:
        >>> low, high = mean_interval([0.8, 0.9, 0.7, 0.8])
        >>> 0.7 < low < 0.8 < high < 0.9
        True
    """
    values = np.asarray(values, "float64")
    if not len(values):
        return np.nan, np.nan
    generator = np.random.default_rng(seed)
    # In parts: indices of 10,000 replicates of 100,000 images would take 8 GB.
    size = max(1, 5_000_000 // len(values))
    means = []
    for begin in range(0, num, size):
        shape = min(size, num - begin), len(values)
        means.append(values[generator.integers(0, len(values), shape)].mean(1))
    ends = np.quantile(np.concatenate(means), [(1 - level) / 2, (1 + level) / 2])
    return tuple(map(float, ends))


def _results(run):
    path = pathlib.Path(run) / "results.json"
    if not path.is_file():
        raise ValueError(
            f"{run} must hold results.json. Train, or: kerasseg evaluate --run {run}."
        )
    return json.loads(path.read_text(encoding="utf-8"))
