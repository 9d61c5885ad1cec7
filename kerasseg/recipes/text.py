"""Reads recipes from TOML, and completes those that a program has made."""

import ast
import contextlib
import copy
import json
import os
import pathlib
import re
import tomllib

from kerasseg.names import bounded, nearest, parameters
from kerasseg.recipes.options import DATA, as_list, check_data, resolve
from kerasseg.tasks.checks import OptionError

SHAPES = pathlib.Path(__file__).with_name("shapes.toml")
FOLDER = pathlib.Path(__file__).with_name("folder.toml")
# Recipes of the zoo by name: in a checkout they lie at its top, a wheel holds copies.
ZOO = (pathlib.Path(__file__).parents[2] / "zoo", SHAPES.with_name("zoo"))
MAX_BYTES = 100_000
# On one line: tomllib needs memory by the square of a dotted key's length.
MAX_DOTS = 200


# "table.key=value"; of several losses and augmentations "loss.NAME.key=value".
OVERRIDE = re.compile(
    r"(\w+)\.(?:(?:(?<=^loss\.)|(?<=^augment\.))(\w+)\.)?(\w+)=(.*)", re.DOTALL
)
FOREIGN = ("model", "loss")  # tables that another architecture wants otherwise
FIX_FOREIGN = (
    " --set model.architecture changes no other option of the recipe: copy it, and"
    " change [model] and [[loss]] there."
)


class RecipeError(ValueError):
    """A recipe that cannot be used; the message names file, line, problem and fix."""

    def __init__(self, message):
        super().__init__(bounded(message))


def read(path=None, overrides=(), *, model=None):
    """Read a recipe, apply overrides, fill in defaults and check it.

    Args:
        path: recipe.toml, a folder that holds one, the name of one of `named`, or None
            for the main job.
        overrides: strings "table.key=value", or "loss.NAME.key=value" where there are
            several, value in TOML, in Python (as messages show them) or JSON, or a bare
            word.
        model: dict that takes the place of the table [model], or None.

    Returns:
        dict from table name to dict of options (`loss` is a list of dicts).

    Raises:
        RecipeError: for a missing file, bad TOML, unknown tables or options, wrong
            types; names file and line.
    """
    path, text, recipe = _loaded(path)
    if model is not None:
        recipe["model"] = dict(model)
    overridden = [_override(recipe, override) for override in overrides]
    architecture = ("model", "architecture") in overridden
    chosen = architecture or model is not None
    if chosen and path in (SHAPES, FOLDER):  # nobody has chosen its other options
        _drop_foreign(recipe, overridden)
    with _told_where(path, text, overridden, architecture):
        return resolve(recipe)


def read_data(path=None, overrides=()):
    """Read the table [data] of a recipe alone, for which TensorFlow is not imported.

    Args:
        path, overrides: as in `read`.

    Returns:
        {"data": dict of options}.

    Raises:
        RecipeError: as `read`, of this table.
    """
    path, text, recipe = _loaded(path)
    overridden = [_override(recipe, override) for override in overrides]
    options = recipe.get("data", {})
    with _told_where(path, text, overridden):
        if not isinstance(options, dict):
            raise OptionError("`data` must be a table, [data].", "data")
        check_data(options)
    return {"data": options}


@contextlib.contextmanager
def _told_where(path, text, overridden, architecture=False):
    """Turn errors of options into those that name the file and line, or the flag."""
    try:
        yield
    except OptionError as error:
        place = error.table, error.option
        line = _line(text, *place)
        where = f"--set {'.'.join(place)}" if place in overridden else f"{path}{line}"
        foreign = architecture and place not in overridden and place[0] in FOREIGN
        raise RecipeError(f"{where}: {error}{FIX_FOREIGN * foreign}") from error


def _loaded(path):
    """Path of a recipe's file, its text, and its tables as they stand there."""
    path = find(path)
    if path.stat().st_size > MAX_BYTES:
        raise RecipeError(f"{path}: a recipe must be smaller than {MAX_BYTES} bytes.")
    # A binary file then fails as bad TOML, with its name, not as a UnicodeDecodeError.
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        if line.count(".") > MAX_DOTS:
            raise RecipeError(
                f"{path}, line {number}: at most {MAX_DOTS} dots are read on one line. "
                f"Received: {line.count('.')}. Spread a long list over several lines."
            )
    try:
        recipe = _without_none(tomllib.loads(text))
    except (ValueError, RecursionError) as error:  # also a number of 5,000 digits
        raise RecipeError(f"{path}: not valid TOML: {error}.") from error
    return path, text, recipe


def complete(tables, overrides=()):
    """Complete a recipe that a program has made: as `read`, without a file.

    Args:
        tables: dict from table name to dict of options, `loss` a dict or a list.
        overrides: as in `read`.

    Returns:
        Resolved recipe.

    Raises:
        RecipeError: names the table and the option.
    """
    recipe = copy.deepcopy(tables)
    overridden = [_override(recipe, override) for override in overrides]
    try:
        return resolve(recipe)
    except OptionError as error:
        place = error.table, error.option
        where = f"--set {'.'.join(place)}" if place in overridden else f"[{place[0]}]"
        raise RecipeError(f"{where}: {error}") from error


def places(overrides):
    """{(table, key): value} of overrides, later ones first.

    Example:
        >>> places(["train.epochs=3"])
        {('train', 'epochs'): 3}
    """
    tables = {}
    found = [_override(tables, override) for override in overrides]
    return {(table, key): tables[table][key] for table, key in found}


def _drop_foreign(recipe, overridden):
    """Drop options of a recipe that another architecture, asked for, does not have."""
    from kerasseg import zoo

    builder = zoo.BUILDERS.get(str(recipe["model"]["architecture"]))
    if builder is None:  # an error that lists those that there are
        return
    known = {"architecture", "encoder_options", *parameters(builder)}
    for option in {*recipe["model"]} - known:
        if ("model", option) not in overridden:
            del recipe["model"][option]
    if hasattr(builder, "losses") and not any(
        table == "loss" for table, _ in overridden
    ):
        recipe.pop("loss", None)


def with_data(recipe, overrides=()):
    """The recipe of a run that reads other data than it was trained on.

    Args:
        recipe: resolved recipe.
        overrides: as in `read`, of [data] only. With another `data.dataset` the
            options that it does not know are left out.

    Returns:
        dict like `recipe`.

    Raises:
        RecipeError: for an override of another table, or a wrong one.
    """
    from kerasseg import datasets

    changed = {"data": copy.deepcopy(recipe["data"])}
    places = [_override(changed, override) for override in overrides]
    if other := {*changed} - {"data"}:
        raise RecipeError(
            f"Of a trained model --set can change [data] only. Received: {min(other)}. "
            "Options of prediction have flags of their own, see --help."
        )
    data = changed["data"]
    function = datasets.DATASETS.get(str(data["dataset"]))
    if ("data", "dataset") in places and function is not None:
        _drop_unknown(data, {*parameters(function)}, {key for _, key in places})
    try:
        check_data(data)
    except OptionError as error:
        raise RecipeError(f"--set data.{error.option}: {error}") from error
    return {**recipe, **changed}


def _drop_unknown(data, known, given):
    """Drop the options of [data] that its data set does not know, unless just given."""
    for key in {*data} - {"dataset", *DATA} - known - given:
        del data[key]
    for side in {"train", "val"} - given:
        if isinstance(data.get(side), dict) and not {*data[side]} <= known:
            del data[side]


def named():
    """Files of the recipes that are known by name, wherever the command is given.

    Example:
        >>> sorted(named())[:2]
        ['center_mask_efficientnet_lite0_dsb2018', 'center_mask_plain_shapes']
    """
    found = {"shapes": SHAPES, "folder": FOLDER}
    for folder in ZOO:
        for path in folder.glob("*/recipe.toml"):
            found.setdefault(path.parent.name, path)
    return found


def find(path=None):
    """The file of a recipe.

    Args:
        path: as in `read`.

    Raises:
        RecipeError: if there is none; suggests the nearest name.
    """
    path = pathlib.Path(path or SHAPES)
    if os.path.isdir(path):
        path = path / "recipe.toml"
    if os.path.isfile(path):  # NUL and lone surrogates are no file either
        return path
    # "zoo/NAME" and "zoo/NAME/recipe.toml", too, which are paths in a checkout only.
    parts = [part for part in path.parts if part not in ("zoo", "recipe.toml")]
    known = named()
    if len(parts) == 1 and parts[0] in known:
        return known[parts[0]]
    listed = ", ".join(sorted(known))
    raise RecipeError(
        "A recipe must be a .toml file, a folder that holds recipe.toml, or a name. "
        f"Received: {path}.{nearest(path.stem, known)} Known: {listed}."
    )


def name(path=None):
    """Name of a recipe: that of its folder, or of its file."""
    path = find(path).resolve()
    return path.parent.name if path.name == "recipe.toml" else path.stem


def _override(recipe, text):
    """Apply "table.key=value" to a recipe in place; return (table, key)."""
    match = OVERRIDE.fullmatch(text)
    if not match:
        raise RecipeError(f"--set must look like train.epochs=5. Received: {text!r}.")
    table, name, key, value = match.groups()
    value = _without_none(_parsed(value, text))
    entries = as_list(recipe.setdefault(table, {}))
    if not all(isinstance(entry, dict) for entry in entries):
        raise RecipeError(f"[{table}] must be a table. Received: {entries[0]!r}.")
    names = [str(entry.get("name")) for entry in entries]
    if name is None and len(entries) == 1:
        entries[0][key] = value
    elif names.count(name) == 1:
        entries[names.index(name)][key] = value
    else:
        raise RecipeError(
            f"--set must say which [[{table}]] of {', '.join(names)}, as in "
            f"{table}.NAME.weight=0.5. Received: {text!r}."
        )
    return table, key


def _parsed(value, text):
    """Value of an override: TOML, or what Python and JSON write, or a bare word."""
    with contextlib.suppress(ValueError, RecursionError):
        return tomllib.loads(f"value = {value}")["value"]
    if value.strip()[:1] not in ("{", "[", "("):
        return value
    for parse in (ast.literal_eval, json.loads):
        with contextlib.suppress(ValueError, SyntaxError, RecursionError, MemoryError):
            return _as_toml(parse(value.strip()))
    raise RecipeError(
        "--set must give a value in TOML, such as [1, 2] or {a = 1}, or in Python. "
        f"Received: {text!r}. In a shell, put quotes around it: "
        "--set 'data.values={0: 0, 255: 1}'."
    )


def _as_toml(value):
    """Lists for tuples, and keys that are strings: (255, 0, 0) becomes "255, 0, 0"."""
    if isinstance(value, dict):
        return {_key(key): _as_toml(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_as_toml(item) for item in value]
    if value is not None and not isinstance(value, bool | int | float | str):
        raise ValueError(value)
    return value


def _key(key):
    return ", ".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _without_none(value):
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_none(item) for item in value]
    return None if value == "none" else value


def _line(text, table, option):
    """The line of an option or a table as ", line 12"; "" if it is not there."""
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
