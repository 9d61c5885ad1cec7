"""Recipes -> objects: only here do names become things."""

import functools
import inspect

from kerasseg.names import look_up
from kerasseg.recipes.options import SCHEDULE, augmentations, optimizers, task
from kerasseg.recipes.text import RecipeError


def build_samples(recipe, root, split):
    """Samples of the "train" or "val" side of a recipe; shapes need no `root`."""
    from kerasseg import datasets

    options = dict(recipe["data"])
    function = look_up(options.pop("dataset"), datasets.DATASETS, "dataset")
    sides = {"train": options.pop("train"), "val": options.pop("val")}
    chosen = sides.get(split, split)
    options |= chosen if isinstance(chosen, dict) else {"split": chosen}
    if "root" in inspect.signature(function).parameters:
        if root is None:
            raise RecipeError(
                f"The dataset {function.__name__!r} needs its folder: --data ROOT."
            )
        return function(root, **options)
    return function(**options)


def build_model(recipe, classes, channels=3, *, weights=None):
    """Model of a recipe for so many classes and image channels.

    Args:
        recipe: resolved recipe.
        classes: class names, the background first; their number is the default of
            `num_classes`, without the background for instance models.
        channels: channels of the images.
        weights: path that replaces `encoder_weights`, or None.

    Returns:
        keras.Model.
    """
    from kerasseg import zoo

    options = dict(recipe["model"])
    builder = look_up(options.pop("architecture"), zoo.BUILDERS, "architecture")
    if builder is zoo.stardist:
        if len(classes) != 2:
            raise RecipeError(
                "'stardist' finds objects of one class. "
                f"Received: {', '.join(classes[1:])}."
            )
        options.setdefault("input_shape", (None, None, channels))
    elif task(recipe) == "instance":
        options.setdefault("num_classes", len(classes) - 1)
        options["image_size"] = tuple(recipe["augment"]["size"])
    else:
        options.setdefault("num_classes", len(classes))
        options.setdefault("input_shape", (None, None, channels))
    if weights is not None:
        options = {**options, "weights": weights}
        options.pop("encoder_weights", None)
    return builder(**options)


def build_loss(recipe):
    """Loss of a recipe: one, or the weighted sum of several.

    Models of objects bring their own, as a `training.Objective`; a recipe may only set
    its options.
    """
    from kerasseg import losses, training, zoo

    if task(recipe) != "semantic":
        function = zoo.BUILDERS[recipe["model"]["architecture"]].losses
        for options in recipe["loss"]:
            function = functools.partial(function, **options)
        return training.Objective(function, recipe["train"]["seed"])
    parts = []
    for options in recipe["loss"]:
        options = dict(options)
        weight = options.pop("weight", 1.0)
        parts.append((weight, losses.LOSSES[options.pop("name")](**options)))
    if len(parts) == 1 and parts[0][0] == 1.0:
        return parts[0][1]
    return losses.Weighted(parts)


def build_truth(recipe):
    """What `data.pipeline(objects=...)` makes of the objects that a recipe learns.

    Returns:
        None for class maps, the most objects of an image for instance models, or the
        function of `data.maps` that makes StarDist's maps.
    """
    from kerasseg.data import maps

    if task(recipe) == "semantic":
        return None
    if task(recipe) == "instance":
        return recipe["train"]["max_objects"]
    known = inspect.signature(maps.stars).parameters
    model = recipe["model"]
    return maps.stars(**{name: model[name] for name in known if name in model})


def build_optimizer(recipe, steps_per_epoch):
    """Optimizer of a recipe with its learning-rate schedule."""
    from kerasseg import training

    options = dict(recipe["optimizer"])
    optimizer = optimizers()[options.pop("name")]
    schedule = {key: options.pop(key) for key in SCHEDULE}
    steps = recipe["train"]["epochs"] * steps_per_epoch
    warmup_steps = round(schedule["warmup_epochs"] * steps_per_epoch)
    rate = training.learning_rate(
        schedule["schedule"],
        peak=schedule["learning_rate"],
        steps=steps,
        warmup_steps=min(warmup_steps, steps // 2),  # a run may be cut short by --set
        power=schedule["power"],
        final=schedule["final"],
    )
    return optimizer(learning_rate=rate, **options)


def build_augment(recipe):
    """Augmentation of a recipe: a function (sample, seed) -> sample."""
    options = dict(recipe["augment"])
    return augmentations()[options.pop("name")](**options)
