"""What a recipe may say: tables, options, defaults and types."""

import inspect

from kerasseg.names import check_options, look_up

TABLES = ("model", "data", "augment", "loss", "optimizer", "train", "predict")
TRAIN = {
    "epochs": 10,
    "steps_per_epoch": 0,  # 0: as many as it takes to see each sample once
    "batch_size": 8,
    "seed": 0,
    "precision": "auto",  # see runs.devices
    "accumulate": 1,
    "clip_norm": 0.0,
    "ema_decay": 0.0,
    "aux_weight": 0.4,
    "max_objects": 64,  # of an image that train an instance model, the largest
    "patience": 0,  # epochs without improvement before stopping; 0 never stops
    "deterministic": False,
    "jit_compile": False,
    "tensorboard": False,
    "sync_batch_norm": False,
    "on_bad_sample": "stop",  # or "skip"
    "on_non_finite": "stop",  # or "skip"
}
# How runs are scored and predict, by task; see `predict.class_ids` and `instances`.
PREDICT = {
    "semantic": {"tile_px": None, "flips": None},
    "instance": {
        "score_threshold": 0.3,
        "fit": "",
        "overlap_px": 64,
        "zoom": 1.0,
        "min_area_px": 1,
    },
    "stars": {"score_threshold": 0.3, "min_area_px": 1},
}
# Options that had another name: recipes and runs written before still work.
RENAMED = {("model", "canonical_scale"): "canonical_box", ("model", "selection"): "nms"}
SCHEDULE = {
    "learning_rate": 1e-3,
    "schedule": "cosine",
    "warmup_epochs": 0.0,
    "power": 0.9,
    "final": 0.0,
}
# What a TOML value must be, by the type of the default that it replaces.
KINDS = {
    bool: ("true or false", (bool,)),
    int: ("a whole number", (int,)),
    float: ("a number", (int, float)),
    str: ("a string", (str,)),
    tuple: ("a list", (list, int, float)),
}


class OptionError(ValueError):
    """One option of a recipe is wrong."""

    def __init__(self, message, table, option=None):
        super().__init__(message)
        self.table, self.option = table, option


def resolve(recipe):
    """Fill in the defaults of a recipe and check every name and type.

    Raises:
        OptionError: names the table and the option.
    """
    from kerasseg import datasets, losses, zoo

    for table in recipe:
        if table not in TABLES:
            _refuse(check_options, [table], TABLES, "a recipe", table=table)
        if not all(isinstance(part, dict) for part in as_list(recipe[table])):
            raise OptionError(f"`{table}` must be a table, [{table}].", table)
    recipe = {table: recipe.get(table, {}) for table in TABLES}
    for (table, old), new in RENAMED.items():
        if old in recipe[table]:
            recipe[table][new] = recipe[table].pop(old)
    _check(recipe["model"], "architecture", zoo.BUILDERS, "model")
    data = recipe["data"]
    data.setdefault("train", "train")
    data.setdefault("val", "val")
    _check(
        data, "dataset", datasets.DATASETS, "data", extra={"train": None, "val": None}
    )
    for side in ("train", "val"):  # the name of a split, or more arguments
        if isinstance(data[side], dict):
            known = _parameters(datasets.DATASETS[data["dataset"]])
            _check_types(data[side], known, "data")
    recipe["augment"] = {"name": "standard", **recipe["augment"]}
    _check(recipe["augment"], "name", augmentations(), "augment")
    name = recipe["model"]["architecture"]
    if name == "panoptic_deeplab":
        message = f"{name!r} is trained in Python, by zoo.{name}.losses: no recipe can."
        raise OptionError(message, "model", "architecture")
    if task(recipe) != "semantic":
        _check_instance(recipe)
    else:
        recipe["loss"] = as_list(recipe["loss"] or {"name": "CrossEntropy"})
        for loss in recipe["loss"]:
            _check(loss, "name", losses.LOSSES, "loss", extra={"weight": 1.0})
    recipe["optimizer"] = {"name": "adamw", **SCHEDULE, **recipe["optimizer"]}
    _check(recipe["optimizer"], "name", optimizers(), "optimizer", extra=SCHEDULE)
    _check_types(recipe["predict"], PREDICT[task(recipe)], "predict")
    _check_types(recipe["train"], TRAIN, "train")
    recipe["train"] = {**TRAIN, **recipe["train"]}
    return recipe


def task(recipe):
    """What a recipe trains, one of the tasks of `zoo.names`."""
    from kerasseg import zoo

    return zoo.BUILDERS[recipe["model"]["architecture"]].task


def _check_instance(recipe):
    """Refuse what an instance model brings itself, or cannot be."""
    from kerasseg import zoo
    from kerasseg.detection.mask_grid import mask_size

    name = recipe["model"]["architecture"]
    recipe["loss"] = as_list(recipe["loss"]) if recipe["loss"] else []
    known = _parameters(zoo.BUILDERS[name].losses)
    for given in ("model", "images", "truth", "seed"):
        del known[given]
    for loss in recipe["loss"]:
        if "name" in loss or len(recipe["loss"]) > 1:
            message = f"{name!r} brings its own losses: no [[loss]] can name one."
            raise OptionError(message, "loss")
        _check_types(loss, known, "loss")
    if "image_size" in recipe["model"]:
        message = "`image_size` follows from augment.size: leave it out."
        raise OptionError(message, "model", "image_size")
    size = recipe["augment"].get("size")
    try:
        mask_size(size if isinstance(size, (list, tuple)) else ())
    except ValueError:
        message = (
            f"`size` must be [height, width], two multiples of 32, for {name!r}. "
            f"Received: {size!r}."
        )
        raise OptionError(message, "augment", "size") from None


def _check(options, key, table, where, extra=None):
    """Check that options[key] is a name in `table`, and the rest its arguments."""
    if key not in options:
        raise OptionError(
            f"[{where}] must have `{key}`. Known: {', '.join(sorted(table))}.", where
        )
    function = _refuse(look_up, options[key], table, key, table=where, option=key)
    known = {key: "", **_parameters(function), **(extra or {})}
    _check_types(options, known, where)


def _check_types(options, defaults, where):
    for option, value in options.items():
        _refuse(
            check_options, [option], defaults, f"[{where}]", table=where, option=option
        )
        default = defaults[option]
        wanted = next((kind for kind in KINDS if isinstance(default, kind)), None)
        if value is None or wanted is None:
            continue
        description, types = KINDS[wanted]
        if type(value) not in types:
            message = f"`{option}` must be {description}. Received: {value!r}."
            raise OptionError(message, where, option)


def _refuse(check, *args, table, option=None):
    try:
        return check(*args)
    except ValueError as error:
        raise OptionError(str(error), table, option) from error


def _parameters(function):
    """Keyword arguments of a function with their defaults."""
    return {
        name: None if parameter.default is parameter.empty else parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "root" and parameter.kind is not parameter.VAR_KEYWORD
    }


def as_list(value):
    """The tables of one kind: `[loss]` may stand once or, as `[[loss]]`, repeatedly."""
    return value if isinstance(value, list) else [value]


def augmentations():
    """Table of the augmentations that a recipe may name."""
    from kerasseg import augment

    return {"standard": augment.standard, "microscopy": augment.microscopy}


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
