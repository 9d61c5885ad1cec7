"""Flags that say which data a command reads, and the recipe that they make."""

import json


def add_arguments(command):
    """Give a parser the flags of data."""
    command.add_argument("--data", metavar="ROOT", help="folder of the data set")
    command.add_argument(
        "--format",
        metavar="NAME",
        help="form of the data, a data set of `kerasseg list`, or auto, told from what "
        "lies in the folder (default: that of the recipe or run, auto without one)",
    )
    command.add_argument(
        "--group",
        metavar="PATTERN",
        help="regular expression that finds in a sample's name what must stay on one "
        "side of a split, such as '^patient[0-9]+' (default: near duplicates)",
    )
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="TABLE.KEY=VALUE",
        help="change one option of the recipe; may be repeated",
    )


def overrides(arguments, name):
    """Overrides of a recipe that the flags of data make.

    Args:
        arguments: of the command.
        name: form of the data, or "auto" to look for it, or None for the recipe's.

    Returns:
        (list of str, dict of the form that was found as of `read_recipe`).
    """
    found, form = list(arguments.set), None
    if name == "auto":
        form = _find(arguments.data)
        name = form["name"]
    if name is not None:
        # First, so that a --set of the user's wins.
        found.insert(0, f"data.dataset={name}")
    if arguments.group is not None:
        found.insert(0, f"data.group={json.dumps(arguments.group)}")
    return found, form


def read_recipe(arguments, model=None, *, only_data=False):
    """The recipe of a command, whose data set is named or found.

    Args:
        arguments: of the command.
        model: dict that takes the place of the recipe's [model], or None.
        only_data: whether to read [data] alone, which is much faster.

    Returns:
        (file of the recipe, resolved recipe, dict of "name", "title", "evidence",
        "others" and "text" of the form that was found, None if none was looked for).

    Raises:
        RecipeError: for a wrong recipe.
        ImageError: if no form is known.
    """
    from kerasseg import recipes

    default = recipes.FOLDER if arguments.data else recipes.SHAPES
    path, name = arguments.recipe or default, arguments.format
    named = any(override.startswith("data.dataset=") for override in arguments.set)
    if name is None and arguments.data and not arguments.recipe and not named:
        name = "auto"
    changes, form = overrides(arguments, name)
    if only_data:
        return path, recipes.read_data(path, changes), form
    return path, recipes.read(path, changes, model=model), form


def _find(root):
    from kerasseg import datasets

    if root is None:
        raise ValueError("--format auto needs the folder of the data: --data ROOT.")
    found = datasets.find_format(root)
    text = f"Data: {found.title} ({found.evidence}) in {root}, --format {found.name}"
    if found.others:
        text += f"; it could also be {' or '.join(found.others)}"
    return {**found._asdict(), "text": text}
