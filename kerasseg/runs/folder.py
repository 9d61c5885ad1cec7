"""Run folders: choosing one, going on with one, loading what is in one."""

import dataclasses
import hashlib
import itertools
import json
import pathlib

from kerasseg import files, machine, recipes
from kerasseg.names import bounded, parameters

# Below where the command runs, as other training tools do, not in a hidden place.
RUNS = pathlib.Path("runs")
# Other files in a folder are not ours, and nothing is written beside them.
FILES = {
    *("recipe.toml", "run.json", "run.lock", "history.jsonl", "checkpoints"),
    *("best.weights.h5", "results.json", "curves.png", "samples.png", "confusion.png"),
    *("samples.csv", "split.json", "tensorboard", "report.html"),
    *("chosen.json", "plan.json", "pseudo", "pseudo.json", "student", "evaluations"),
    *("teacher-best.weights.h5", "teacher-chosen.json"),
}
PLAN = "plan.json"  # facts and measurements that the recipe follows from
CHOSEN = "chosen.json"  # options of prediction, see `runs.choosing`


@dataclasses.dataclass(frozen=True)
class Notes:
    """Where a recipe comes from, to be kept in its run.

    Attributes:
        head: lines that stand at the top of recipe.toml.
        reasons: {(table, key): text} that stand above its options.
        facts: JSON-able dict, the content of plan.json.
    """

    head: tuple = ()
    reasons: dict = dataclasses.field(default_factory=dict)
    facts: dict = dataclasses.field(default_factory=dict)


class RunError(ValueError):
    """A run folder that cannot be used; the message names it and the fix."""


def load(run, score_threshold=None):
    """Model with the best weights of a run, its recipe and its facts.

    Args:
        run: run folder.
        score_threshold: lower the model's own threshold to this, so that objects of
            lower scores can be asked for; None leaves it.

    Returns:
        (keras.Model, resolved recipe, dict of "classes", "colors", "channels",
        "value_range", "root").

    Raises:
        RunError: if the folder is no run, or has no weights yet.
    """
    machine.check_process()
    recipe, facts = read(run)
    path = pathlib.Path(run, "best.weights.h5")
    # Keras says "File not found" of a damaged file (3.15).
    _check_weights(path)
    if score_threshold is not None:
        # What a model itself leaves out, no later threshold brings back.
        _lower_threshold(recipe, score_threshold)
    model = recipes.build_model(
        recipe, facts["classes"], facts["channels"], weights=path
    )
    return model, recipe, facts


def read(run):
    """Recipe and facts of a run that has weights, as `load` gives them."""
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
    recipe = _read_recipe(run)
    recipe["predict"] = {**_chosen(run), **recipe["predict"]}
    return recipe, read_facts(run)


def _chosen(run):
    """Options of prediction that the run has chosen; {} before."""
    path = run / CHOSEN
    if not path.is_file():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))["options"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        what = "the options of prediction that the run has chosen"
        raise RunError(_explain_torn(path, what, error)) from error


def _lower_threshold(recipe, score):
    """Lower the threshold in a recipe, where its builder has one; no weight changes."""
    known = parameters(recipes.builder_of(recipe))
    options = recipe["model"]
    if "score_threshold" in known:  # CenterMask
        own = options.get("score_threshold", known["score_threshold"])
        options["score_threshold"] = min(own, score)
    elif "nms" in known:
        nms = dict(options.get("nms") or {})
        nms["score_threshold"] = min(nms.get("score_threshold", 0.05), score)
        options["nms"] = nms


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
    # Not the folders' own times, which evaluating an old run renews.
    return max(found, key=lambda path: (path / "best.weights.h5").stat().st_mtime)


def choose_folder(out, recipe, name):
    """Choose or check the run folder: new, or one of the same recipe to go on with."""
    if out is None:
        number, out = 1, RUNS / name
        while _is_taken(out, recipe):
            number += 1
            out = RUNS / f"{name}-{number}"
    out = pathlib.Path(out)
    if (out / "recipe.toml").is_file():
        old = _read_recipe(out)
        if changed := _differences(old, recipe):
            raise RunError(
                f"{out} holds a run of another recipe: {'; '.join(changed)}. "
                "Choose another --out, or give the same recipe to go on with it."
            )
    else:
        check_new(out)
    return out


def check_new(out):
    """Refuse a file, or a folder with files that are not those of a run."""
    if out.exists() and not out.is_dir():
        raise RunError(
            f"{out} must be a folder. Received: a file. Choose another --out."
        )
    if out.exists() and not _is_ours(out):
        raise RunError(
            f"{out} must be empty, or an earlier run of this recipe. "
            "Received: a folder with other files. Choose another --out."
        )


def _is_taken(out, recipe):
    """Whether a folder holds anything but an unfinished run of this recipe."""
    if not (out / "recipe.toml").is_file():
        return out.exists() and not (out.is_dir() and _is_ours(out))
    # The same recipe in an unfinished folder is a run that goes on.
    finished = (out / "results.json").is_file()
    return finished or _read_recipe(out) != recipe


def _is_ours(out):
    """Whether all files of a folder are those of a run: one killed as it began."""
    names = (path.name for path in out.iterdir())
    return all(name in FILES or files.is_temporary(name) for name in names)


def write_start(out, recipe, facts, notes=None):
    """Write recipe.toml and run.json, each whole or not at all.

    Args:
        out: run folder, locked.
        recipe: resolved recipe.
        facts: of `facts_of`.
        notes: `Notes` about the recipe, or None.

    Raises:
        RunError: if another run has begun there since the folder was chosen.
    """
    choose_folder(out, recipe, out.name)
    check_data(out, facts)
    if not (out / "recipe.toml").is_file():  # it may have comments
        known = notes or Notes()
        text = recipes.dump(recipe, known.reasons, known.head)
        files.replace_text(out / "recipe.toml", text)
    if notes and not (out / PLAN).is_file():
        files.write_json(out / PLAN, notes.facts)
    files.replace_text(out / "run.json", json.dumps(facts, indent=1) + "\n")


def write_split(out, recipe, samples):
    """Write split.json: the names of the samples on both sides, in their order.

    Args:
        out: run folder, locked.
        recipe: resolved recipe.
        samples: {"train": Samples, "val": Samples}.
    """
    keys = "group", "val_fraction", "folds", "fold"
    rule = {key: recipe["data"].get(key) for key in keys}
    names = {side: list(some.names) for side, some in samples.items()}
    text = json.dumps({**rule, **names}, indent=1) + "\n"
    files.replace_text(out / "split.json", text)


def _read_recipe(run):
    """Recipe of a run; earlier versions could leave it cut off."""
    path = run / "recipe.toml"
    try:
        # What some file systems leave of a file after a power cut: its length in zeros.
        if not path.read_bytes().strip(b"\0 \n"):
            raise ValueError("nothing")
        return recipes.read(path)
    except (OSError, ValueError) as error:
        raise RunError(_explain_torn(path, "the resolved recipe", error)) from error


def read_facts(run):
    """Facts of a run about its data; a torn file is a RunError."""
    path = run / "run.json"
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(facts, dict):
            raise ValueError(f"a JSON {type(facts).__name__}")
        if missing := {"channels", "classes"} - facts.keys():
            raise ValueError(f"no {' and no '.join(sorted(missing))}")
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(_explain_torn(path, "the facts of the data", error)) from error
    return facts


def _check_weights(path):
    """Refuse a file of weights that is cut off; it can be made again."""
    import h5py

    try:
        h5py.File(path).close()
    except OSError as error:
        raise RunError(_explain_torn(path, "the best weights", error)) from error


def _explain_torn(path, content, error):
    return (
        f"{path} must hold {content} of the run. Received: {path.stat().st_size} bytes "
        f"that cannot be read: {bounded(error, 500)}. Delete this one file, and give "
        f"the command of the training with --out {path.parent} again: it is written "
        "anew, and the run goes on from its last checkpoint."
    )


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
    old = read_facts(out)
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
        # Names without their folder, because a run may go on where the data have moved.
        "samples": f"{len(samples)} names, sha256 {_digest(samples.names)}",
    }


def _digest(names):
    # 16 digits are enough to notice a change; nobody attacks it.
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]


def palette_of(facts):
    """Colours of a run's classes: uint8 [K, 3]."""
    import numpy as np

    from kerasseg import viz

    if facts["colors"] is None:
        return viz.palette(len(facts["classes"]))
    return np.array(facts["colors"], "uint8")
