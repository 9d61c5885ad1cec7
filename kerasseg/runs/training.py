"""Trains a recipe into a run folder."""

import contextlib
import functools
import math
import pathlib

from kerasseg import recipes
from kerasseg.runs import choosing, devices, use, warm_start
from kerasseg.runs.folder import (
    RunError,
    check_data,
    choose_folder,
    facts_of,
    write_split,
    write_start,
)


def train(
    recipe,
    *,
    root=None,
    out=None,
    name="run",
    distribute="auto",
    on_event=None,
    notes=None,
):
    """Train a recipe, evaluate its best weights and leave a run folder.

    The same command again resumes an interrupted run where it stopped.

    Args:
        recipe: resolved recipe of `recipes.read`.
        root: folder of the data set; None for synthetic data.
        out: run folder; None takes `runs/{name}`, or the next number. Workers on
            several machines must share it; only the first writes there.
        name: name of the recipe.
        distribute: see `devices.prepare`; "multiworker" must come before anything else
            that uses TensorFlow or Keras.
        on_event: function of dicts for a progress display: those of `training.fit`,
            "device" and "data" before them, and "chosen" after them.
        notes: `folder.Notes` about the recipe, to be written into a new run.

    Returns:
        (run folder, results dict); the dict is empty for all workers but the first.

    Raises:
        RunError: if `out` holds something else, or a run on other data, or if the
            memory does not suffice.
        training.run_lock.FolderInUseError: if another process trains in `out`.
        ValueError: if recipe and data do not fit; before training where possible.
    """
    on_event = on_event or (lambda event: None)
    settings = recipe["train"]
    if distribute == "multiworker" and out is None:
        raise RunError("Workers need the same run folder: give `out` (--out RUN).")
    found = devices.prepare(
        settings["precision"], distribute, deterministic=settings["deterministic"]
    )
    from kerasseg.training import run_lock

    # The other workers might find the folder while the first one is filling it.
    out = choose_folder(out, recipe, name) if found.writes else pathlib.Path(out)
    with contextlib.ExitStack() as stack:
        if found.writes and out.is_dir():
            stack.enter_context(run_lock.held(out))  # told before the data are read
        on_event({"kind": "device", "text": f"{found.text}, seed {settings['seed']}"})
        samples = checked_samples(recipe, root, on_event)
        facts = facts_of(samples["train"], root, name)
        if found.writes:
            check_data(out, facts)
        with devices.precision_policy(found.precision), found.strategy.scope():
            step, steps_per_epoch = make_step(recipe, facts, samples)
        if found.writes:
            # Only now: a run that cannot begin leaves no folder behind.
            stack.enter_context(run_lock.held(out))
            write_start(out, recipe, facts, notes)
            write_split(out, recipe, samples)
        _fit(step, steps_per_epoch, recipe, samples, out, on_event)
        if not found.writes:
            return out, {}
        if settings["choose_thresholds"]:
            options = choosing.choose(out, samples["val"])
            on_event({"kind": "chosen", "options": options})
        # Evaluation builds the model anew outside of the policy, in float32: the
        # precision of the training is recorded beside the scores.
        cost = {
            "steps": step.position,
            **_time_of_steps(out),
            "precision": found.precision,
        }
        return out, use.evaluate(out, root=root, samples=samples["val"], training=cost)


def _fit(step, steps_per_epoch, recipe, samples, out, on_event):
    import tensorflow as tf

    from kerasseg import data, evaluate, training

    settings, task = recipe["train"], recipes.task_of(recipe)
    options = task.make_options(recipe["predict"], step.model.input_shape[-1])

    def validate():
        result = evaluate.score(step.model, samples["val"], options)
        return {
            key: value
            for key, value in result.items()
            if value is None or isinstance(value, float)
        }

    order = {"batch_size": settings["batch_size"], "seed": settings["seed"]}
    try:
        training.fit(
            step,
            make_batches(recipe, samples["train"]),
            steps=settings["epochs"] * steps_per_epoch,
            steps_per_epoch=steps_per_epoch,
            validation=training.Validation(
                validate, task.monitor, settings["patience"] or None
            ),
            folder=training.RunFolder(out, tensorboard=settings["tensorboard"]),
            names_of=functools.partial(data.batch_names, samples["train"], **order),
            on_event=on_event,
        )
    except tf.errors.ResourceExhaustedError as error:
        accumulate = 2 * settings["accumulate"]
        raise RunError(
            f"The memory does not suffice for train.batch_size={order['batch_size']}. "
            f"Either split each batch: --set train.accumulate={accumulate}, or lower "
            "train.batch_size or augment.size. TensorFlow says: "
            f"{error.message.splitlines()[0]}"
        ) from error


def _time_of_steps(out):
    """Wall and CPU time of all steps, those before a resume too; no validation."""
    from kerasseg.training.history import History

    rows = History(out / "history.jsonl").rows()
    epochs = [row for row in rows if row["kind"] == "epoch"]
    return {
        name: round(sum(row[name] for row in epochs), 1)
        for name in ("seconds", "cpu_seconds")
    }


def checked_samples(recipe, root, on_event):
    """Both sides of the data, every file of them read once before training."""
    from kerasseg import datasets
    from kerasseg.datasets.pseudo import keep_halves

    sides, task = {}, recipes.task_of(recipe)
    for side in ("train", "val"):
        samples = recipes.build_samples(recipe, root, side)
        if sides:  # files of their own may have fewer classes, or other ids
            samples = samples.with_classes(sides["train"].classes)
            if samples.value_range is None:  # scaled as in training
                samples = samples.with_range(sides["train"].value_range)
        num_labels = len(samples.classes)
        if "num_classes" in recipe["model"]:
            # Labels count the background, models of objects do not.
            num_labels = recipe["model"]["num_classes"] + task.first_class
        # num_classes=1 is one binary logit, for labels 0 and 1.
        report = datasets.check(samples, num_classes=max(num_labels, 2))
        on_event({"kind": "data", "side": side, "report": report})
        _check_objects(side, report, task)
        sides[side] = samples.with_range(report["value_range"])
        if task.needs_instances and "instances" not in samples[0]:
            raise ValueError(
                f"{recipe['model']['architecture']!r} needs samples with instances, as "
                "of the data sets coco, mask_folders and shapes. Received: "
                f"{recipe['data']['dataset']!r}."
            )
    if by := recipe["data"].get("balance"):
        sides["train"] = datasets.balance(sides["train"], by)
        if pseudo := recipe["data"].get("pseudo"):
            sides["train"] = keep_halves(sides["train"], pseudo)
    return sides


def _check_objects(side, report, task):
    """Refuse to train on nothing; to validate without objects is only useless."""
    objects = report.get("objects")
    if side != "train" or not task.needs_instances or objects is None:
        return
    if not any(objects.values()):
        raise ValueError(
            "There must be objects to train on. Received: none in the "
            f'{report["num_read"]} images of "train". {" ".join(report["warnings"])}'
        )


def make_step(recipe, facts, samples):
    """Training step of a recipe, and the steps of an epoch."""
    import keras

    from kerasseg import layers, training

    settings = recipe["train"]
    num_batches = math.ceil(len(samples["train"]) / settings["batch_size"])
    steps_per_epoch = settings["steps_per_epoch"] or num_batches
    # Before the model is built: initial weights and dropout draw from this seed.
    keras.utils.set_random_seed(settings["seed"])
    model = recipes.build_model(recipe, facts["classes"], facts["channels"])
    warm_start.begin(model, settings)
    if settings["sync_batch_norm"]:
        layers.synchronize(model)
    outputs = model.output if isinstance(model.output, dict) else {}
    share = settings["swa_from"]
    step = training.make_train_step(
        model,
        recipes.build_loss(recipe),
        recipes.build_optimizer(recipe, steps_per_epoch, model),
        options=training.StepOptions(
            loss_weights={
                name: settings["aux_weight"]
                for name in outputs
                if name.startswith("aux")
            },
            accumulate=settings["accumulate"],
            clip_norm=settings["clip_norm"] or None,  # 0 in a recipe: none
            ema_decay=settings["ema_decay"] or None,
            swa_begin=int(share * settings["epochs"] * steps_per_epoch)
            if share
            else None,
            jit_compile=settings["jit_compile"],
            skip_non_finite=settings["on_non_finite"] == "skip",
        ),
    )
    return step, steps_per_epoch


def make_batches(recipe, samples):
    """Function from a start step to the training batches from there on."""
    from kerasseg import data

    settings, augment = recipe["train"], recipes.build_augment(recipe)
    objects = recipes.build_truth(recipe)

    def batches(start_step):
        stream = data.pipeline(
            samples,
            batch_size=settings["batch_size"],
            augment=augment,
            objects=objects,
            seed=settings["seed"],
            start_step=start_step,
            reading=data.Reading(on_bad_sample=settings["on_bad_sample"]),
        )
        return data.batches(stream)

    return batches
