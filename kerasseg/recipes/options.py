"""Tables and options of recipes: names, defaults and types."""

import math

from kerasseg import tasks
from kerasseg.images.values import check_range
from kerasseg.names import check_options, look_up, parameters
from kerasseg.tasks.checks import OptionError, check_named, check_types, option_errors

TABLES = ("model", "data", "augment", "loss", "optimizer", "train", "predict")
LISTS = ("augment", "loss")  # may stand repeatedly, as [[loss]]
TRAIN = {
    "init": "",  # published weights, a run folder or a file to begin with
    "freeze": "",  # "encoder", or how the names of layers begin that do not learn
    "epochs": 10,
    "steps_per_epoch": 0,  # 0: as many as it takes to see each sample once
    "batch_size": 8,
    "seed": 0,
    "precision": "auto",  # see runs.devices
    "accumulate": 1,
    "clip_norm": 0.0,
    "ema_decay": 0.0,
    "swa_from": 0.0,  # share of the training from which weights are averaged; 0: never
    "aux_weight": 0.4,  # PSPNet's weight of auxiliary losses
    "max_objects": 64,  # of an image that train an instance model, the largest
    "center_sigma": 8.0,  # px of the Gaussians at centres that panoptic models learn
    "patience": 0,  # epochs without improvement before stopping; 0 never stops
    "deterministic": False,
    "jit_compile": False,
    "tensorboard": False,
    "sync_batch_norm": False,
    "choose_thresholds": False,  # after training, see runs.choosing
    "on_bad_sample": "stop",  # or "skip"
    "on_non_finite": "stop",  # or "skip"
}
# Options of [data] that are no arguments of its data set.
DATA = {"train": None, "val": None, "value_range": (), "group": "", "balance": ""}
DATA |= {"folds": 0, "fold": 0}  # see datasets.fold; 0 folds are none
DATA |= {"pseudo": ""}  # folder of labels that a model has made, see runs.pseudo
DATA |= {"only": ()}  # names of the classes to keep
BALANCE = ("", "classes", "appearance")  # see datasets.balance
CHOICES = dict.fromkeys(("on_bad_sample", "on_non_finite"), ("stop", "skip"))
AT_LEAST_ONE = {"accumulate", "batch_size", "epochs"}
BELOW_ONE = {"ema_decay", "swa_from"}
# Options that had another name: recipes and runs written before still work.
RENAMED = {
    ("model", "canonical_scale"): "canonical_box",
    ("model", "selection"): "nms",
    ("model", "light"): "lightweight",
}
# Options of [optimizer] that are no arguments of it.
DECAY = {"decay_all": False}  # whether biases, gamma and beta decay, too
# {encoder = 0.1}: parts of a model, and of the learning rate; or the epochs after
# which they begin to learn.
RATES = {"rates": {}, "begins": {}}
SCHEDULE = {
    "learning_rate": 1e-3,
    "schedule": "cosine",
    "warmup_epochs": 0.0,
    "power": 0.9,
    "final": 0.0,
}
OWN = {**SCHEDULE, **DECAY, **RATES}


def resolve(recipe):
    """Fill in the defaults of a recipe and check every name and type.

    Raises:
        OptionError: names the table and the option.
    """
    from kerasseg import augment, zoo

    for table in recipe:
        if table not in TABLES:
            with option_errors(table):
                check_options([table], TABLES, "a recipe")
        parts = as_list(recipe[table])
        if not all(isinstance(part, dict) for part in parts):
            raise OptionError(f"`{table}` must be a table, [{table}].", table)
        if isinstance(recipe[table], list) and table not in LISTS:
            raise OptionError(f"`{table}` must be one table, [{table}].", table)
    recipe = {table: recipe.get(table, {}) for table in TABLES}
    for (table, old), new in RENAMED.items():
        if old in recipe[table]:
            recipe[table][new] = recipe[table].pop(old)
    extra = {"encoder_options": {}}
    check_named(recipe["model"], "architecture", zoo.BUILDERS, "model", extra=extra)
    _check_encoder_options(recipe["model"])
    check_data(recipe["data"])
    recipe["augment"] = _resolve_augment(recipe["augment"], augment.AUGMENTATIONS)
    builder = zoo.BUILDERS[recipe["model"]["architecture"]]
    task = tasks.named(builder.task)
    # After [augment], from which instance models take the size of their images.
    task.resolve(recipe, builder)
    recipe["optimizer"] = {"name": "adamw", **OWN, **recipe["optimizer"]}
    check_named(recipe["optimizer"], "name", optimizers(), "optimizer", extra=OWN)
    _check_predict(recipe["predict"], task)
    check_types(recipe["train"], TRAIN, "train")
    for name, choices in CHOICES.items():
        with option_errors("train", name):
            look_up(recipe["train"].get(name, "stop"), dict.fromkeys(choices), name)
    _check_signs(recipe)
    for name in RATES:
        _check_parts(name, recipe["optimizer"][name])
    recipe["train"] = {**TRAIN, **recipe["train"]}
    if recipe["train"]["ema_decay"] and recipe["train"]["swa_from"]:
        raise OptionError(
            "`ema_decay` and `swa_from` average weights in two ways: set one of them "
            f"to 0. Received: {recipe['train']['ema_decay']} and "
            f"{recipe['train']['swa_from']}.",
            "train",
            "swa_from",
        )
    return recipe


def _resolve_augment(given, functions):
    """[augment], a preset, or [[augment]], which are applied in their order."""
    if isinstance(given, dict):
        given = {"name": "standard", **given}
    for options in as_list(given):
        check_named(options, "name", functions, "augment")
    return given


def _check_encoder_options(model):
    """Check options of the encoder's function, but for those that the builder gives."""
    from kerasseg import zoo

    if not (options := model.get("encoder_options")):
        return
    builder = zoo.BUILDERS[model["architecture"]]
    with option_errors("model", "encoder"):
        known = zoo.encoder_parameters(builder, model.get("encoder"))
    with option_errors("model", "encoder_options"):
        if not isinstance(options, dict):
            raise ValueError(
                f"`encoder_options` must be a table. Received: {options!r}."
            )
        check_types(options, known, "model.encoder_options")


def check_data(data):
    """Fill in the sides of [data], in place, and check its names and types.

    Raises:
        OptionError: names the option.
    """
    from kerasseg import datasets

    data.setdefault("train", "train")
    data.setdefault("val", "val")
    check_named(data, "dataset", datasets.DATASETS, "data", extra=DATA)
    if data.get("value_range") is not None:
        with option_errors("data", "value_range"):
            data["value_range"] = list(check_range(data["value_range"]))
    folds, fold = data.get("folds", 0), data.get("fold", 0)
    if folds and (folds < 2 or not 0 <= fold < folds):
        raise OptionError(
            "`folds` must be 0, or 2 and more, and `fold` in 0..folds - 1. "
            f"Received: folds={folds}, fold={fold}.",
            "data",
            "folds",
        )
    with option_errors("data", "balance"):
        look_up(data.get("balance", ""), dict.fromkeys(BALANCE), "balance")
    for side in ("train", "val"):  # the name of a split, or more arguments
        if isinstance(data[side], dict):
            known = parameters(datasets.DATASETS[data["dataset"]])
            known.pop("root", None)
            check_types(data[side], known, "data")


def _check_signs(recipe):
    """Nothing of [train] and of a schedule can be negative, and shares are below 1."""
    for table, known in (("train", TRAIN), ("optimizer", SCHEDULE)):
        for option, value in recipe[table].items():
            number = option in known and isinstance(value, (int, float))
            least = 1 if option in AT_LEAST_ONE else 0
            most = 1 if option in BELOW_ONE else math.inf
            if number and not least <= value < most:
                limit = f" and below {most}" if option in BELOW_ONE else ""
                raise OptionError(
                    f"`{option}` must be {least} or more{limit}. Received: {value}.",
                    table,
                    option,
                )


def _check_parts(name, parts):
    """Parts of a model by name, each with a number."""
    right = isinstance(parts, dict) and all(
        type(x) in (int, float) and 0 <= x < math.inf for x in parts.values()
    )
    if not right:
        raise OptionError(
            f"`{name}` must give parts of the model numbers from 0 on, such as "
            f"{{encoder = 0.1}}. Received: {parts!r}.",
            "optimizer",
            name,
        )


def _check_predict(options, task):
    """Check the names and values of [predict], one by one to name the wrong one."""
    for name, value in options.items():
        with option_errors("predict", name):
            check_options([name], task.default_options(), "[predict]")
            task.make_options({name: value})
            if isinstance(value, (int, float)) and value < 0:
                raise ValueError(f"`{name}` must be 0 or more. Received: {value}.")
    with option_errors("predict"):
        task.make_options(options)


def as_list(value):
    """The tables of one kind, whether they stand once or, as `[[loss]]`, repeatedly."""
    return value if isinstance(value, list) else [value]


def optimizers():
    """Table of the optimizers that a recipe may name."""
    import keras

    return {
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
        "lion": keras.optimizers.Lion,
        "rmsprop": keras.optimizers.RMSprop,
        "sgd": keras.optimizers.SGD,
    }
