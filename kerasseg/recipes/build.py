"""Recipes -> objects: only here do names become things."""

import inspect

from kerasseg import tasks
from kerasseg.images import ImageError
from kerasseg.names import look_up, parameters
from kerasseg.recipes.options import SCHEDULE, as_list, optimizers
from kerasseg.recipes.text import RecipeError

VAL_FRACTION = 0.2  # of data sets without an option of this name
# A regular expression for the names of weights, "bias" in Keras, "conv/bias:0" or
# "conv/bias/replica_1:0" in TensorFlow; "factors" are those of layer scale.
NOT_DECAYED = r"(^|/)(bias|gamma|beta|factors)(/replica_\d+)?(:\d+)?$"


def builder_of(recipe):
    """The function of `kerasseg.zoo` that a recipe names."""
    from kerasseg import zoo

    return look_up(recipe["model"]["architecture"], zoo.BUILDERS, "architecture")


def task_of(recipe):
    """The `tasks.Task` of a recipe's architecture."""
    return tasks.named(builder_of(recipe).task)


def build_samples(recipe, root, split):
    """Samples of the "train" or "val" side of a recipe; shapes need no `root`."""
    from kerasseg import datasets

    if recipe["data"].get("folds") and split in ("train", "val"):
        return _build_fold(recipe["data"], root, split)
    options = dict(recipe["data"])
    for key in ("folds", "fold"):
        options.pop(key, None)
    pseudo = options.pop("pseudo", "")
    function = look_up(options.pop("dataset"), datasets.DATASETS, "dataset")
    sides = {"train": options.pop("train"), "val": options.pop("val")}
    value_range, group = options.pop("value_range", None), options.pop("group", None)
    only = options.pop("only", None)
    options.pop("balance", None)  # of training alone
    chosen = sides.get(split, split)
    options |= chosen if isinstance(chosen, dict) else {"split": chosen}
    side = options.get("split") if group else None
    if side in ("train", "val"):  # by groups, of all that there are
        options["split"] = None
    if root is not None:
        options = {"root": root, **options}
    _check_arguments(function, options, split)
    try:
        samples = function(**options)
    except TypeError as error:  # an argument of a wrong type
        raise RecipeError(
            f"[data] does not fit {function.__name__!r}: {error}."
        ) from error
    except ImageError as error:
        if other := _other_form(function.__name__, options.get("root")):
            *parts, fix = error.args
            raise ImageError(*parts, f"{other}. Otherwise: {fix}") from error
        raise
    if side in ("train", "val"):
        fraction = options.get("val_fraction", VAL_FRACTION)
        samples = datasets.split(samples, side, group=group, val_fraction=fraction)
    if only:
        samples = samples.only(only)
    if value_range is not None:
        samples = samples.with_range(value_range)
    if pseudo and split == "train":
        samples = datasets.with_pseudo_labels(samples, pseudo)
    return samples


def _build_fold(data, root, side):
    """A side of a fold of all samples, those of "train" and of "val"."""
    from kerasseg import datasets

    left_out = "folds", "fold", "pseudo"
    plain = {key: x for key, x in data.items() if key not in left_out}
    one, other = (build_samples({"data": plain}, root, x) for x in ("train", "val"))
    where = {"fold": data.get("fold", 0), "folds": data["folds"]}
    every = one.followed_by(other)
    found = datasets.fold(every, side, group=data.get("group") or None, **where)
    if data.get("pseudo") and side == "train":
        found = datasets.with_pseudo_labels(found, data["pseudo"])
    return found


def _other_form(name, root):
    """Hint at the form that a folder is in, if it is not the one that was asked for."""
    from kerasseg import datasets

    try:
        found = datasets.find_format(root)
    except (ValueError, OSError, TypeError):
        return None
    if found.name in (name, "folder", "mask_folders"):
        return None
    return (
        f"This looks like {found.title} ({found.evidence}): --format {found.name} "
        f"(--set data.dataset={found.name})"
    )


def _check_arguments(function, options, split):
    """Refuse a folder or a split that a data set cannot do with, or a lack."""
    name, known = function.__name__, inspect.signature(function).parameters
    needed = {key for key, x in known.items() if x.default is x.empty} - {*options}
    if "root" in needed:
        raise RecipeError(f"The dataset {name!r} needs its folder: --data ROOT.")
    if "root" in {*options} - {*known}:
        raise RecipeError(
            f"The dataset {name!r} takes no folder. Received: {options['root']}."
        )
    if "split" in {*options} - {*known}:
        raise RecipeError(
            f"The dataset {name!r} has no splits but train and val of [data], tables "
            f"of its arguments. Received: {split} = {options['split']!r}."
        )
    if needed:
        raise RecipeError(
            f"[data] must give {' and '.join(sorted(needed))} for {name!r}, in {split} "
            f"or for both sides. Received: {', '.join(options) or 'nothing'}."
        )


def build_model(recipe, classes, channels=3, *, weights=None):
    """Model of a recipe for so many classes and image channels.

    Args:
        recipe: resolved recipe.
        classes: class names, the background first.
        channels: channels of the images.
        weights: path that replaces `encoder_weights`, or None.

    Returns:
        keras.Model.

    Raises:
        RecipeError: if the architecture cannot learn these classes.
    """
    from kerasseg import zoo

    try:
        found = task_of(recipe).model_options(recipe, classes, channels)
    except ValueError as error:
        raise RecipeError(str(error)) from error
    # The recipe wins over the data: num_classes=1 is one binary logit for two classes.
    options = {**found, **recipe["model"]}
    options.pop("architecture")
    if weights is not None:
        options = {**options, "weights": weights}
        options.pop("encoder_weights", None)
    if inner := options.pop("encoder_options", None):
        options["encoder"] = zoo.build_encoder(builder_of(recipe), options, inner)
        options.pop("encoder_weights", None)
    return builder_of(recipe)(**options)


def build_loss(recipe):
    """Loss of a recipe, or the objective that its builder brings."""
    return task_of(recipe).loss(recipe, builder_of(recipe))


def build_truth(recipe):
    """The `objects` argument of `data.pipeline`: None where labels are learned."""
    return task_of(recipe).truth(recipe)


def build_optimizer(recipe, steps_per_epoch, model=None):
    """Optimizer of a recipe with its learning-rate schedule.

    Its weight decay leaves out biases, the scale and offset of norms and layer scale,
    unless `decay_all` is true.

    Args:
        recipe: resolved recipe.
        steps_per_epoch: updates.
        model: keras.Model to train, of whose parts `rates` and `begins` tell.
    """
    from kerasseg import training, zoo

    options = dict(recipe["optimizer"])
    function, decay_all = optimizers()[options.pop("name")], options.pop("decay_all")
    rates, begins = options.pop("rates"), options.pop("begins")
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
    optimizer = function(learning_rate=rate, **options)
    if not decay_all:
        # As He et al., 2018, https://arxiv.org/abs/1812.01187, section 3.1.
        optimizer.exclude_from_weight_decay(var_names=[NOT_DECAYED])
    for part in {**rates, **begins}:
        try:
            layers = zoo.part_of(model, part)
        except ValueError as error:
            key = "rates" if part in rates else "begins"
            raise RecipeError(f"[optimizer] {key}: {error}") from error
        variables = [x for y in layers for x in y.trainable_variables]
        begin = round(begins.get(part, 0) * steps_per_epoch)
        training.scale_rates(optimizer, variables, rates.get(part, 1.0), begin=begin)
    return optimizer


def build_augment(recipe):
    """Augmentation of a recipe: a function (sample, seed) -> sample."""
    from kerasseg import augment

    functions = []
    for options in map(dict, as_list(recipe["augment"])):
        functions.append(augment.AUGMENTATIONS[options.pop("name")](**options))
    return functions[0] if len(functions) == 1 else augment.compose(*functions)


def with_flips(recipe):
    """The recipe with `flip` in each entry of [augment] that has it by default.

    Example:
        >>> from kerasseg import recipes
        >>> with_flips({"augment": {"name": "microscopy"}})["augment"]["flip"]
        'both'
    """
    from kerasseg.augment import AUGMENTATIONS

    def filled(part):
        options = parameters(AUGMENTATIONS[part.get("name", "standard")])
        return (
            {**part, "flip": part.get("flip", options["flip"])}
            if "flip" in options
            else part
        )

    given = recipe["augment"]
    several = isinstance(given, list)
    return {**recipe, "augment": [*map(filled, given)] if several else filled(given)}
