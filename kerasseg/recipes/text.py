"""Reads recipes from TOML and writes them back."""

import contextlib
import json
import os
import pathlib
import re
import sys

from kerasseg.names import OptionError, bounded
from kerasseg.recipes.options import TABLES, as_list, resolve

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SHAPES = pathlib.Path(__file__).with_name("shapes.toml")
FOLDER = pathlib.Path(__file__).with_name("folder.toml")
MAX_BYTES = 100_000
# On one line: tomllib needs memory by the square of a dotted key's length.
MAX_DOTS = 200


class RecipeError(ValueError):
    """A recipe that cannot be used; the message names file, line, problem and fix."""

    def __init__(self, message):
        super().__init__(bounded(message))


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
    if os.path.isdir(path):
        path = path / "recipe.toml"
    if not os.path.isfile(path):  # NUL and lone surrogates are no file either
        raise RecipeError(
            "A recipe must be a .toml file or a folder that holds recipe.toml. "
            f"Received: {path}."
        )
    if path.stat().st_size > MAX_BYTES:
        raise RecipeError(f"{path}: a recipe must be smaller than {MAX_BYTES} bytes.")
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
    overridden = [_override(recipe, override) for override in overrides]
    try:
        return resolve(recipe)
    except OptionError as error:
        place = error.table, error.option
        line = _line(text, *place)
        where = f"--set {'.'.join(place)}" if place in overridden else f"{path}{line}"
        raise RecipeError(f"{where}: {error}") from error


def name(path=None):
    """Name of a recipe: that of its folder, or of its file."""
    path = pathlib.Path(path or SHAPES).resolve()
    return path.parent.name if path.name == "recipe.toml" else path.stem


def dump(recipe):
    """Write a resolved recipe as TOML text, such that `read` gives it back."""
    lines = []
    for table in TABLES:
        if not recipe[table]:  # [predict] and [loss] may hold nothing
            continue
        for options in as_list(recipe[table]):
            lines.append(f"[[{table}]]" if table == "loss" else f"[{table}]")
            lines += [f"{key} = {_toml(value)}" for key, value in options.items()]
            lines.append("")
    return "\n".join(lines)


def _override(recipe, text):
    """Apply "table.key=value" to a recipe in place; return (table, key)."""
    match = re.fullmatch(r"(\w+)\.(\w+)=(.*)", text, re.DOTALL)
    if not match:
        raise RecipeError(f"--set must look like train.epochs=5. Received: {text!r}.")
    table, key, value = match.groups()
    with contextlib.suppress(ValueError, RecursionError):  # a bare word is a string
        value = tomllib.loads(f"value = {value}")["value"]
    value = _without_none(value)
    target = recipe.setdefault(table, {})
    if isinstance(target, list):
        raise RecipeError(
            f"--set cannot change a list of [[{table}]]. Received: {text!r}."
        )
    target[key] = value
    return table, key


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
