"""A second training on images that nobody has labelled, kept only if it gains."""

import functools
import json
import math
import pathlib
import shutil

import numpy as np

from kerasseg import files, images, recipes
from kerasseg.datasets.pseudo import INDEX
from kerasseg.predict.options import arguments
from kerasseg.runs import training, use
from kerasseg.runs.choosing import MOST_IMAGES
from kerasseg.runs.folder import RunError, read, read_facts

VERDICT = "pseudo.json"
PRECISION = 0.95  # that labels of each class must have on validation images
BINS = 100  # of confidence
RATE = 1 / 3  # of the learning rate: the weights know much already


def train_student(run, inputs, *, root=None, distribute="auto", on_event=None):
    """Train a run further on images that its own model has labelled.

    The model labels the images, where it is as sure as where 95 % of what it says of a
    class is right on validation images; other pixels are ignored. A second training
    begins with its weights, draws labelled and unlabelled images alike, and takes as
    many steps. Its weights take the place of the run's if they score more on the
    validation images. The same call again goes on.

    Args:
        run: finished run folder of a semantic model.
        inputs: folder of images, or a file.
        root: folder of the labelled data; None for that of the run.
        distribute, on_event: as in `training.train`.

    Returns:
        dict of "images", "before", "after" (scores), "kept", which pseudo.json in the
        run holds too.

    Raises:
        RunError: if the model tells no classes of pixels, there is no image, or the
            run has been trained on labels of other images.
    """
    run = pathlib.Path(run)
    _check_same(run, inputs)
    if (run / VERDICT).is_file():
        return json.loads((run / VERDICT).read_text(encoding="utf-8"))
    recipe, facts = read(run)
    task = recipes.task_of(recipe)
    if task.name != "semantic":
        raise RunError(
            "Labels can be made by models of classes of pixels only. "
            f"Received: {recipe['model']['architecture']!r} in {run}."
        )
    root = root or facts["root"]
    if not (run / "pseudo" / INDEX).is_file():
        label(run, inputs, run / "pseudo", root=root)
    student, num = _recipe_of(recipe, run, root)
    training.train(
        student,
        root=root,
        out=run / "student",
        name=f"{facts.get('name', run.name)}-student",
        distribute=distribute,
        on_event=on_event,
    )
    before, after = (
        json.loads((one / "results.json").read_text(encoding="utf-8"))[task.monitor]
        for one in (run, run / "student")
    )
    kept = after is not None and (before is None or after > before)
    verdict = {"images": num, "before": before, "after": after, "kept": kept}
    if kept:
        _adopt(run, root)
    files.write_json(run / VERDICT, verdict)
    return verdict


def _check_same(run, inputs):
    """Refuse other images than those whose verdict would be told."""
    index = run / "pseudo" / INDEX
    if not index.is_file():
        return
    before = json.loads(index.read_text(encoding="utf-8"))["images"]
    if _paths(images.find_pictures(inputs)[0]) != before:
        some = next(iter(before.values()), "none")
        raise RunError(
            f"{run} goes on with the {len(before)} images that it has labelled, such "
            f"as {some}. Received: others, in {inputs}. Train another run on them."
        )


def _paths(found):
    return {name: str(pathlib.Path(path).resolve()) for name, path in found}


def label(run, inputs, out, *, root=None):
    """Label images by a run's best weights, where it is sure; others are left out.

    Args:
        run: run folder.
        inputs: folder of images, or a file.
        out: folder that gets index.json and labels/NAME.png.
        root: folder of the data with the validation images.

    Returns:
        dict from class id to the confidence from which on pixels are labelled.

    Raises:
        RunError: if there is no image.
    """
    found, _ = images.find_pictures(inputs)
    if not found:
        raise RunError(f"--unlabelled must hold images. Received: none in {inputs}.")
    model, _, _, options = use.ready(run)
    channels = read_facts(pathlib.Path(run))["channels"]
    surest = sure(model, use.read_samples(run, root=root), options)
    table = np.full(len(surest), math.inf)
    table[[*surest]] = [*surest.values()]
    predicted = functools.partial(_predicted, model, options=options)
    for name, path in found:
        ids, confidence = predicted(images.read_image(path, channels=channels))
        ids = np.where(confidence >= table[ids], ids, 255)
        images.write_mask(pathlib.Path(out, f"labels/{name}.png"), ids.astype("uint8"))
    content = {"images": _paths(found), "channels": channels, "confidence": surest}
    files.write_json(pathlib.Path(out, INDEX), content)
    return surest


def sure(model, samples, options):
    """Confidence from which on 95 % of what a model says of a class are right.

    Args:
        model: semantic keras.Model.
        samples: validation Samples; up to 24 are used.
        options: its prediction options.

    Returns:
        dict from class id to confidence, above 1 where no confidence suffices.
    """
    from kerasseg.evaluate import Scaled

    counts = np.zeros([2, len(samples.classes), BINS + 1])  # wrong, right
    num = min(len(samples), MOST_IMAGES)
    some = Scaled(
        samples.subset([i * len(samples) // num for i in range(num)]), options
    )
    for index in range(num):
        sample = some[index]
        ids, confidence = _predicted(model, sample["image"], options)
        known = sample["label"] != samples.ignore_label
        right = (ids == sample["label"]).astype(int)
        place = right[known], ids[known], (confidence[known] * BINS).astype(int)
        np.add.at(counts, place, 1)
    # Of all pixels that are at least as sure.
    wrong, right = counts[..., ::-1].cumsum(-1)[..., ::-1]
    good = right >= PRECISION * np.maximum(wrong + right, 1)
    found = {}
    for class_id, enough in enumerate(good & (right > 0)):
        # The least from which on all higher ones suffice, too.
        bad = np.flatnonzero(~enough & (wrong[class_id] + right[class_id] > 0))
        first = 0 if not len(bad) else bad[-1] + 1
        found[class_id] = first / BINS if enough[first:].any() else 2.0
    return found


def _predicted(model, image, options):
    from kerasseg.predict import most_probable, probabilities

    found = probabilities(model, image, **arguments(options, "min_area_px"))
    return most_probable(found)


def _recipe_of(recipe, run, root):
    """Recipe of the second training, and the number of images that were labelled."""
    recipe = {**recipe, "predict": recipes.read(run / "recipe.toml")["predict"]}
    settings, optimizer = recipe["train"], recipe["optimizer"]
    steps = settings["steps_per_epoch"] or math.ceil(
        len(recipes.build_samples(recipe, root, "train")) / settings["batch_size"]
    )
    folder = (run / "pseudo").resolve()
    found = json.loads((folder / INDEX).read_text(encoding="utf-8"))["images"]
    return {
        **recipe,
        "data": {**recipe["data"], "pseudo": str(folder)},
        "optimizer": {
            **optimizer,
            "learning_rate": optimizer["learning_rate"] * RATE,
        },
        "train": {**settings, "init": str(run.resolve()), "steps_per_epoch": steps},
    }, len(found)


def _adopt(run, root):
    """Put the better weights in the place of the run's, and measure them there."""
    student = run / "student"
    for name in ("best.weights.h5", "chosen.json"):
        if (student / name).is_file():
            kept = run / f"teacher-{name}"
            if not kept.is_file():
                shutil.copyfile(run / name, kept)
            copy = functools.partial(shutil.copyfile, student / name)
            files.replace(run / name, copy)
    cost = json.loads((student / "results.json").read_text())["training"]
    use.evaluate(run, root=root, training=cost)
