"""Recipes: TOML -> keyword arguments -> objects; only here do names become things.

A recipe has six tables. `[model]`, `[data]`, `[augment]`, `[loss]` (one table or a
list of them) and `[optimizer]` name a function or class of the library and give its
keyword arguments; `[train]` holds the settings of the loop, with the defaults below.
The string "none" stands for None, which TOML lacks.
"""

import contextlib
import inspect
import json
import pathlib
import re
import sys

from kerasseg.names import check_options, look_up

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TABLES = ("model", "data", "augment", "loss", "optimizer", "train")
SHAPES = pathlib.Path(__file__).with_name("shapes.toml")
FOLDER = pathlib.Path(__file__).with_name("folder.toml")
TRAIN = {
    "epochs": 10,
    "steps_per_epoch": 0,  # 0: as many as it takes to see each sample once
    "batch_size": 8,
    "seed": 0,
    "precision": "float32",
    "accumulate": 1,
    "clip_norm": 0.0,
    "ema_decay": 0.0,
    "aux_weight": 0.4,
    "patience": 0,  # epochs without improvement before stopping; 0 never stops
    "deterministic": False,
    "jit_compile": False,
    "tensorboard": False,
    "on_bad_sample": "stop",
}
SCHEDULE = {
    "learning_rate": 1e-3,
    "schedule": "cosine",
    "warmup_epochs": 0.0,
    "power": 0.9,
    "final": 0.0,
}
MAX_BYTES = 1_000_000


class RecipeError(ValueError):
    """A recipe that cannot be used; the message names file, line, problem and fix."""


def read(path=None, overrides=()):
    """Read a recipe, apply overrides, fill in defaults and check it.

    Args:
        path: recipe.toml, a folder that holds one, or None for the main job.
        overrides: strings "table.key=value", value in TOML (or a bare word).

    Returns:
        dict from table name to dict of options (`loss` is a list of dicts).

    Raises:
        RecipeError: for a missing file, bad TOML, unknown tables or options, wrong
            types; names file and line.
    """
    path = pathlib.Path(path or SHAPES)
    if path.is_dir():
        path = path / "recipe.toml"
    if not path.is_file():
        raise RecipeError(
            "A recipe must be a .toml file or a folder that holds recipe.toml. "
            f"Received: {path}."
        )
    if path.stat().st_size > MAX_BYTES:
        raise RecipeError(f"{path}: a recipe must be smaller than {MAX_BYTES} bytes.")
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        recipe = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RecipeError(f"{path}: not valid TOML: {error}.") from error
    for override in overrides:
        _override(recipe, override)
    try:
        return _resolve(_without_none(recipe))
    except _OptionError as error:
        where = f"{path}{_line(text, error.table, error.option)}"
        raise RecipeError(f"{where}: {error}") from error


def name(path=None):
    """Name of a recipe: that of its folder, or of its file."""
    path = pathlib.Path(path or SHAPES).resolve()
    return path.parent.name if path.name == "recipe.toml" else path.stem


def dump(recipe):
    """Write a resolved recipe as TOML text, such that `read` gives it back."""
    lines = []
    for table in TABLES:
        for options in as_list(recipe[table]):
            lines.append(f"[[{table}]]" if table == "loss" else f"[{table}]")
            lines += [f"{key} = {_toml(value)}" for key, value in options.items()]
            lines.append("")
    return "\n".join(lines)


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
        classes: class names; their number is the default of `num_classes`.
        channels: channels of the images.
        weights: path that replaces `encoder_weights`, or None.

    Returns:
        keras.Model.
    """
    from kerasseg import zoo

    options = dict(recipe["model"])
    builder = look_up(options.pop("architecture"), zoo.BUILDERS, "architecture")
    options.setdefault("num_classes", len(classes))
    options.setdefault("input_shape", (None, None, channels))
    if weights is not None:
        options = {**options, "weights": weights}
        options.pop("encoder_weights", None)
    return builder(**options)


def build_loss(recipe):
    """Loss of a recipe: one, or the weighted sum of several."""
    from kerasseg import losses

    parts = []
    for options in recipe["loss"]:
        options = dict(options)
        weight = options.pop("weight", 1.0)
        parts.append((weight, losses.LOSSES[options.pop("name")](**options)))
    if len(parts) == 1 and parts[0][0] == 1.0:
        return parts[0][1]
    return losses.Weighted(parts)


def build_optimizer(recipe, steps_per_epoch):
    """Optimizer of a recipe with its learning-rate schedule."""
    from kerasseg import training

    options = dict(recipe["optimizer"])
    optimizer = _optimizers()[options.pop("name")]
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
    from kerasseg import augment

    options = dict(recipe["augment"])
    return _augmentations(augment)[options.pop("name")](**options)


def _resolve(recipe):
    from kerasseg import augment, datasets, losses, zoo

    for table in recipe:
        if table not in TABLES:
            _refuse(check_options, [table], TABLES, "a recipe", table=table)
        if not all(isinstance(part, dict) for part in as_list(recipe[table])):
            raise _OptionError(f"`{table}` must be a table, [{table}].", table)
    recipe = {table: recipe.get(table, {}) for table in TABLES}
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
    _check(recipe["augment"], "name", _augmentations(augment), "augment")
    recipe["loss"] = as_list(recipe["loss"] or {"name": "CrossEntropy"})
    for loss in recipe["loss"]:
        _check(loss, "name", losses.LOSSES, "loss", extra={"weight": 1.0})
    recipe["optimizer"] = {"name": "adamw", **SCHEDULE, **recipe["optimizer"]}
    _check(recipe["optimizer"], "name", _optimizers(), "optimizer", extra=SCHEDULE)
    _check_types(recipe["train"], TRAIN, "train")
    recipe["train"] = {**TRAIN, **recipe["train"]}
    return recipe


def _check(options, key, table, where, extra=None):
    """Check that options[key] is a name in `table`, and the rest its arguments."""
    if key not in options:
        raise _OptionError(
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
            raise _OptionError(message, where, option)


# What a TOML value must be, by the type of the default that it replaces.
KINDS = {
    bool: ("true or false", (bool,)),
    int: ("a whole number", (int,)),
    float: ("a number", (int, float)),
    str: ("a string", (str,)),
    tuple: ("a list", (list, int, float)),
}


class _OptionError(ValueError):
    def __init__(self, message, table, option=None):
        super().__init__(message)
        self.table, self.option = table, option


def _refuse(check, *args, table, option=None):
    try:
        return check(*args)
    except ValueError as error:
        raise _OptionError(str(error), table, option) from error


def _parameters(function):
    """Keyword arguments of a function with their defaults."""
    return {
        name: None if parameter.default is parameter.empty else parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "root" and parameter.kind is not parameter.VAR_KEYWORD
    }


def _augmentations(augment):
    return {"standard": augment.standard, "microscopy": augment.microscopy}


def _optimizers():
    import keras

    return {
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
        "lion": keras.optimizers.Lion,
        "rmsprop": keras.optimizers.RMSprop,
        "sgd": keras.optimizers.SGD,
    }


def _override(recipe, text):
    """Apply "table.key=value" to a recipe in place."""
    match = re.fullmatch(r"(\w+)\.(\w+)=(.*)", text, re.DOTALL)
    if not match:
        raise RecipeError(f"--set must look like train.epochs=5. Received: {text!r}.")
    table, key, value = match.groups()
    with contextlib.suppress(tomllib.TOMLDecodeError):  # a bare word is a string
        value = tomllib.loads(f"value = {value}")["value"]
    target = recipe.setdefault(table, {})
    if isinstance(target, list):
        raise RecipeError(
            f"--set cannot change a list of [[{table}]]. Received: {text!r}."
        )
    target[key] = value


def _without_none(value):
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_none(item) for item in value]
    return None if value == "none" else value


def as_list(value):
    """The tables of one kind: `[loss]` may stand once or, as `[[loss]]`, repeatedly."""
    return value if isinstance(value, list) else [value]


def _line(text, table, option):
    """The line of an option or a table as ", line 12"; "" if it came from --set."""
    current = None
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[+\s*(\w+)\s*\]", line)
        key = re.match(r"\s*(\w+)\s*=", line)
        if header:
            current = header[1]
        place = (current, key[1] if key else None)
        if place in ((table, option), (None, table)):
            return f", line {number}"
    return ""


def _toml(value):
    if value is None:
        return '"none"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{k} = {_toml(v)}' for k, v in value.items())}}}"
    return repr(value)
