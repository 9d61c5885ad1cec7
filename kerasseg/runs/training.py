"""Trains a recipe into a run folder."""

import json
import math

from kerasseg import recipes
from kerasseg.history import History
from kerasseg.runs.folder import check_data, claim, facts_of
from kerasseg.runs.use import evaluate


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
        RunError: if `out` holds something else, or a run on other data.
        ValueError: if recipe and data do not fit; before training where possible.
    """
    on_event = on_event or (lambda event: None)
    out = claim(out, recipe, name)
    settings = recipe["train"]
    on_event({"kind": "device", "text": _configure(settings)})
    from kerasseg import evaluate as scoring
    from kerasseg import training

    samples = _checked_samples(recipe, root, on_event)
    facts = facts_of(samples["train"], root, name)
    check_data(out, facts)
    size, batch_size = len(samples["train"]), settings["batch_size"]
    steps_per_epoch = settings["steps_per_epoch"] or math.ceil(size / batch_size)
    step = _make_step(recipe, facts, steps_per_epoch)

    def validate():
        result = scoring.evaluate(step.model, samples["val"])
        return {key: value for key, value in result.items() if isinstance(value, float)}

    out.mkdir(parents=True, exist_ok=True)
    (out / "recipe.toml").write_text(recipes.dump(recipe), encoding="utf-8")
    (out / "run.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    training.fit(
        step,
        _batches(recipe, samples["train"]),
        steps=settings["epochs"] * steps_per_epoch,
        steps_per_epoch=steps_per_epoch,
        run_dir=out,
        validate=validate,
        patience=settings["patience"] or None,
        tensorboard=settings["tensorboard"],
        on_event=on_event,
    )
    cost = {
        "steps": step.position,
        "seconds": _seconds_of_steps(out),
        "precision": settings["precision"],
    }
    return out, evaluate(out, root=root, samples=samples["val"], training=cost)


def _seconds_of_steps(out):
    """Wall time of all training steps, those before a resume too; no validation."""
    rows = History(out / "history.jsonl").rows()
    return round(sum(row["seconds"] for row in rows if row["kind"] == "epoch"), 1)


def _checked_samples(recipe, root, on_event):
    """Both sides of the data, every file of them read once before training."""
    from kerasseg import datasets

    sides = {}
    for side in ("train", "val"):
        samples = sides[side] = recipes.build_samples(recipe, root, side)
        num_classes = recipe["model"].get("num_classes", len(samples.classes))
        report = datasets.check(samples, num_classes=max(num_classes, 2))
        on_event({"kind": "data", "side": side, "report": report})
    return sides


def _make_step(recipe, facts, steps_per_epoch):
    from kerasseg import training

    settings = recipe["train"]
    model = recipes.build_model(recipe, facts["classes"], facts["channels"])
    outputs = model.output if isinstance(model.output, dict) else {}
    return training.make_train_step(
        model,
        recipes.build_loss(recipe),
        recipes.build_optimizer(recipe, steps_per_epoch),
        loss_weights={
            name: settings["aux_weight"] for name in outputs if name != "logits"
        },
        accumulate=settings["accumulate"],
        clip_norm=settings["clip_norm"] or None,
        ema_decay=settings["ema_decay"] or None,
        jit_compile=settings["jit_compile"],
    )


def _batches(recipe, samples):
    """Function from a start step to the training batches from there on."""
    from kerasseg import data

    settings, augment = recipe["train"], recipes.build_augment(recipe)

    def batches(start_step):
        stream = data.pipeline(
            samples,
            batch_size=settings["batch_size"],
            augment=augment,
            seed=settings["seed"],
            start_step=start_step,
            on_bad_sample=settings["on_bad_sample"],
        )
        return data.batches(stream)

    return batches


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
