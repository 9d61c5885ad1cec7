"""Run folders: choosing one, going on with one, loading what is in one."""

import hashlib
import itertools
import json
import pathlib

from kerasseg import recipes

RUNS = pathlib.Path("runs")


class RunError(ValueError):
    """A run folder that cannot be used; the message names it and the fix."""


def load(run):
    """Model with the best weights of a run, its recipe and its facts.

    Returns:
        (keras.Model, resolved recipe, dict of "classes", "colors", "channels",
        "value_range", "root").

    Raises:
        RunError: if the folder is no run, or has no weights yet.
    """
    run = pathlib.Path(run)
    missing = [
        name
        for name in ("recipe.toml", "run.json", "best.weights.h5")
        if not (run / name).is_file()
    ]
    if missing:
        raise RunError(
            f"{run} must be a run folder with trained weights. Missing: "
            f"{', '.join(missing)}. Train one: kerasseg train --out {run}"
        )
    recipe = recipes.read(run / "recipe.toml")
    facts = json.loads((run / "run.json").read_text())
    model = recipes.build_model(
        recipe, facts["classes"], facts["channels"], weights=run / "best.weights.h5"
    )
    return model, recipe, facts


def find(run=None):
    """The run folder given, or the one in `runs/` that was written to last.

    Raises:
        RunError: if there is none.
    """
    if run is not None:
        return pathlib.Path(run)
    found = [path.parent for path in RUNS.glob("*/best.weights.h5")]
    if not found:
        raise RunError(
            f"There is no run in {RUNS.resolve()}. Give one with --run, or train: "
            "kerasseg train"
        )
    return max(found, key=lambda path: (path / "best.weights.h5").stat().st_mtime)


def choose_folder(out, recipe, name):
    """Choose or check the run folder: new, or one of the same recipe to go on with."""
    if out is None:
        number, out = 1, RUNS / name
        while _is_taken(out, recipe):
            number += 1
            out = RUNS / f"{name}-{number}"
    out = pathlib.Path(out)
    if out.exists() and not out.is_dir():
        raise RunError(
            f"{out} must be a folder. Received: a file. Choose another --out."
        )
    if (out / "recipe.toml").is_file():
        old = recipes.read(out / "recipe.toml")
        if changed := _differences(old, recipe):
            raise RunError(
                f"{out} holds a run of another recipe: {'; '.join(changed)}. "
                "Choose another --out, or give the same recipe to go on with it."
            )
    elif out.exists() and any(out.iterdir()):
        raise RunError(
            f"{out} must be empty, or an earlier run of this recipe. "
            "Received: a folder with other files. Choose another --out."
        )
    return out


def _is_taken(out, recipe):
    """Whether a folder holds anything but an unfinished run of this recipe."""
    if not (out / "recipe.toml").is_file():
        return out.exists() and not (out.is_dir() and not any(out.iterdir()))
    finished = (out / "results.json").is_file()
    return finished or recipes.read(out / "recipe.toml") != recipe


def _differences(old, new):
    """Say which options of two resolved recipes differ."""
    return [
        f"[{table}] {key}: {then.get(key)!r} there, {now.get(key)!r} now"
        for table in recipes.TABLES
        for then, now in itertools.zip_longest(
            recipes.as_list(old[table]), recipes.as_list(new[table]), fillvalue={}
        )
        for key in sorted({*then, *now})
        if then.get(key) != now.get(key)
    ]


def check_data(out, facts):
    """Refuse to go on with a run on other training data, wherever they lie now."""
    if not (out / "run.json").is_file():
        return
    old = json.loads((out / "run.json").read_text())
    for key in ("classes", "channels", "value_range", "samples"):
        if key in old and old[key] != facts[key]:
            raise RunError(
                f"{out} holds a run on other data, from {old.get('root')}: `{key}` was "
                f"{old.get(key)} there and is {facts[key]} in {facts['root']}. Choose "
                "another --out, or give the same --data to go on with it."
            )


def facts_of(samples, root, name):
    """Facts about the data for predicting and exporting: the dict of run.json."""
    return {
        "name": name,
        "root": None if root is None else str(pathlib.Path(root).resolve()),
        "classes": list(samples.classes),
        "colors": None
        if samples.colors is None
        else [list(map(int, color)) for color in samples.colors],
        "ignore_label": samples.ignore_label,
        "channels": int(samples[0]["image"].shape[-1]),
        "value_range": samples.value_range and list(samples.value_range),
        "samples": f"{len(samples)} names, sha256 {_digest(samples.names)}",
    }


def _digest(names):
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]


def palette_of(facts):
    """Colours of a run's classes: uint8 [K, 3]."""
    import numpy as np

    from kerasseg import viz

    if facts["colors"] is None:
        return viz.palette(len(facts["classes"]))
    return np.array(facts["colors"], "uint8")
