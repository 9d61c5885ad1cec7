"""Runs: a recipe trained, evaluated and pictured in one folder.

A run folder holds `recipe.toml` (resolved), `run.json` (data root, classes, colours),
`history.jsonl`, `checkpoints/`, `best.weights.h5`, `results.json` and the pictures
`curves.png`, `samples.png`, `confusion.png`.
"""

import json
import math
import pathlib
import time

from kerasseg import recipes

RUNS = pathlib.Path("runs")


class RunError(ValueError):
    """A run folder that cannot be used; the message names it and the fix."""


def train(recipe, *, root=None, out=None, name="run", on_event=None):
    """Train a recipe, evaluate its best weights and leave a run folder.

    The same command again resumes an interrupted run where it stopped.

    Args:
        recipe: resolved recipe of `recipes.read`.
        root: folder of the data set; None for synthetic data.
        out: run folder; None takes `runs/{name}`, or the next number.
        name: name of the recipe.
        on_event: function of dicts for a progress display: those of `training.fit`,
            and "device" and "data" before them.

    Returns:
        (run folder, results dict).

    Raises:
        RunError: if `out` holds something else.
        ValueError: if recipe and data do not fit; before training where possible.
    """
    on_event = on_event or (lambda event: None)
    out = _claim(out, recipe, name)
    settings = recipe["train"]
    on_event({"kind": "device", "text": _configure(settings)})
    from kerasseg import data, datasets, evaluate, training

    sides = {
        side: recipes.build_samples(recipe, root, side) for side in ("train", "val")
    }
    num_classes = recipe["model"].get("num_classes", len(sides["train"].classes))
    for side, samples in sides.items():
        report = datasets.check(samples, num_classes=max(num_classes, 2))
        on_event({"kind": "data", "side": side, "report": report})
    facts = _facts(sides["train"], root, name)
    model = recipes.build_model(recipe, facts["classes"], facts["channels"])
    batch_size = settings["batch_size"]
    steps_per_epoch = settings["steps_per_epoch"] or -(
        -len(sides["train"]) // batch_size
    )
    step = training.make_train_step(
        model,
        recipes.build_loss(recipe),
        recipes.build_optimizer(recipe, steps_per_epoch),
        accumulate=settings["accumulate"],
        clip_norm=settings["clip_norm"] or None,
        ema_decay=settings["ema_decay"] or None,
        jit_compile=settings["jit_compile"],
    )
    augment = recipes.build_augment(recipe)

    def batches(start_step):
        return data.batches(
            data.pipeline(
                sides["train"],
                batch_size=batch_size,
                augment=augment,
                seed=settings["seed"],
                start_step=start_step,
                on_bad_sample=settings["on_bad_sample"],
            )
        )

    def validate():
        result = evaluate.evaluate(model, sides["val"])
        return {key: value for key, value in result.items() if isinstance(value, float)}

    steps = settings["epochs"] * steps_per_epoch
    (out / "recipe.toml").write_text(recipes.dump(recipe))
    (out / "run.json").write_text(json.dumps(facts, indent=1) + "\n")
    start = time.perf_counter(), time.process_time()
    training.fit(
        step,
        batches,
        steps=steps,
        steps_per_epoch=steps_per_epoch,
        run_dir=out,
        validate=validate,
        patience=settings["patience"] or None,
        tensorboard=settings["tensorboard"],
        on_event=on_event,
    )
    cost = {
        "steps": steps,
        "wall_seconds": round(time.perf_counter() - start[0], 1),
        "cpu_seconds": round(time.process_time() - start[1], 1),
        "precision": settings["precision"],
    }
    return out, evaluate_run(out, root=root, samples=sides["val"], training=cost)


def evaluate_run(
    run, *, root=None, split="val", flips=False, out=None, samples=None, training=None
):
    """Measure the best weights of a run and write results.json and pictures.

    Args:
        run: run folder.
        root: folder of the data set; None for the one it was trained on.
        split: "train", "val", or a split's own name.
        flips: average over the image and its mirror image.
        out: folder of the results; None for the run folder.
        samples: Samples to use instead of those of `root` and `split`.
        training: JSON-able facts about the training to write down.

    Returns:
        dict: what `evaluate.write_results` wrote, and "table", the result as text.
    """
    from kerasseg import evaluate, viz
    from kerasseg.history import History
    from kerasseg.images import write_image

    model, recipe, facts = load(run)
    if samples is None:
        samples = recipes.build_samples(recipe, root or facts["root"], split)
    result = evaluate.evaluate(model, samples, flips=flips)
    if training:
        result["training"] = training
    out = pathlib.Path(out or run)
    out.mkdir(parents=True, exist_ok=True)
    seeds = [recipe["train"]["seed"]]
    written = evaluate.write_results(
        out / "results.json", result, split=split, seeds=seeds
    )
    picture = evaluate.gallery(model, samples, result, flips=flips)
    write_image(out / "samples.png", picture)
    viz.confusion(result["matrix"], samples.classes, out / "confusion.png")
    rows = History(pathlib.Path(run) / "history.jsonl").rows()
    if rows:
        viz.curves(rows, out / "curves.png")
    return {**written, "table": evaluate.table(result)}


def predict(run, inputs, out, *, tile_px=None, overlap_px=None, flips=False):
    """Segment image files with a run's best weights; see `predict.folder`."""
    from kerasseg import predict

    model, _, facts = load(run)
    return predict.folder(
        model,
        inputs,
        out,
        class_names=facts["classes"],
        palette=_palette(facts),
        save=("overlay", "mask", "polygons"),
        options={"tile_px": tile_px, "overlap_px": overlap_px, "flips": flips},
    )


def export(run, out, *, format="tf_saved_model"):
    """Write a run's model with its best weights for use elsewhere.

    Args:
        run: run folder.
        out: output folder.
        format: "tf_saved_model" (see `export.saved_model`), or another of
            `export.FORMATS`.

    Returns:
        Path of what was written.
    """
    from kerasseg import export

    model, _, facts = load(run)
    if format != "tf_saved_model":
        return export.export(model, pathlib.Path(out) / facts["name"], format=format)
    return export.saved_model(
        model,
        out,
        class_names=facts["classes"],
        palette=_palette(facts),
        ignore_label=facts["ignore_label"],
    )


def describe(architecture, encoder=None, num_classes=21):
    """Facts about a builder: parameters, taps, paper.

    Args:
        architecture: name in `kerasseg.zoo`.
        encoder: name in `kerasseg.encoders`; None for the builder's default.
        num_classes: classes of the model that is counted.

    Returns:
        JSON-able dict.
    """
    import inspect

    from kerasseg import encoders, zoo
    from kerasseg.names import look_up

    builder = look_up(architecture, zoo.BUILDERS, "architecture")
    encoder = encoder or inspect.signature(builder).parameters["encoder"].default
    model = builder(num_classes, encoder)
    taps = next(
        (layer.output for layer in model.layers if isinstance(layer.output, dict)), {}
    )
    about = inspect.getdoc(builder)
    return {
        "architecture": architecture,
        "about": about.splitlines()[0],
        "encoder": encoder,
        "encoders": encoders.names(),
        "num_classes": num_classes,
        "trainable_parameters": sum(
            math.prod(weight.shape) for weight in model.trainable_variables
        ),
        "parameters": model.count_params(),
        "taps": {name: tap.shape[-1] for name, tap in taps.items()},
        "reference": about.split("Reference: ")[-1].replace("\n", " "),
    }


def load(run):
    """Model with the best weights of a run, its recipe and its facts.

    Returns:
        (keras.Model, resolved recipe, dict of "classes", "colors", "channels", "root").

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


def _claim(out, recipe, name):
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
    out.mkdir(parents=True, exist_ok=True)
    return out


def _is_taken(out, recipe):
    if not out.exists():
        return False
    finished = (out / "results.json").is_file()
    return finished or recipes.read(out / "recipe.toml") != recipe


def _differences(old, new):
    """Say which options of two resolved recipes differ."""
    return [
        f"[{table}] {key}: {then.get(key)!r} there, {now.get(key)!r} now"
        for table in recipes.TABLES
        for then, now in zip(recipes.as_list(old[table]), recipes.as_list(new[table]))
        for key in sorted({*then, *now})
        if then.get(key) != now.get(key)
    ]


def _configure(settings):
    """Set seeds and precision of the process; return one line about the device."""
    import keras
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    keras.config.set_dtype_policy(settings["precision"])
    keras.utils.set_random_seed(settings["seed"])
    if settings["deterministic"]:
        tf.config.experimental.enable_op_determinism()
    device = f"{len(gpus)} GPU" if gpus else "CPU (TensorFlow sees no GPU)"
    return f"{device}, {settings['precision']}, seed {settings['seed']}"


def _facts(samples, root, name):
    return {
        "name": name,
        "root": None if root is None else str(pathlib.Path(root).resolve()),
        "classes": list(samples.classes),
        "colors": None
        if samples.colors is None
        else [list(map(int, color)) for color in samples.colors],
        "ignore_label": samples.ignore_label,
        "channels": int(samples[0]["image"].shape[-1]),
    }


def _palette(facts):
    import numpy as np

    from kerasseg import viz

    if facts["colors"] is None:
        return viz.palette(len(facts["classes"]))
    return np.array(facts["colors"], "uint8")
