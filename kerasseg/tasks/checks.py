"""Checks of the tables of a recipe: names, options and their types."""

import contextlib

from kerasseg.names import bounded, check_options, look_up, parameters


class OptionError(ValueError):
    """An option of a table is unknown, missing or of the wrong type.

    Attributes:
        table: name of the table, "train".
        option: name of the option, or None where the table itself is wrong.
    """

    def __init__(self, message, table, option=None):
        super().__init__(message)
        self.table, self.option = table, option


# What a TOML value must be, by the type of the default that it replaces.
KINDS = {
    bool: ("true or false", (bool,)),
    int: ("a whole number", (int,)),
    float: ("a number", (int, float)),
    str: ("a string", (str,)),
    tuple: ("a list", (list, tuple, int, float)),
}


def check_types(options, defaults, table):
    """Refuse options that a table does not know, or of another type than its default.

    Args:
        options: dict.
        defaults: dict from the name of each option to its default; None takes anything.
        table: name of the table, for the message.

    Raises:
        OptionError: names the table and the option.

    Example:
        >>> try:
        ...     check_types({"epochs": 2.5}, {"epochs": 10}, "train")
        ... except OptionError as error:
        ...     print(error)
        `epochs` must be a whole number. Received: 2.5.
    """
    for option, value in options.items():
        with option_errors(table, option):
            check_options([option], defaults, f"[{table}]")
        default = defaults[option]
        kind = next((kind for kind in KINDS if isinstance(default, kind)), None)
        # Without a value ("none") a text may do, a number or a switch may not.
        if kind is None or (value is None and kind in (str, tuple)):
            continue
        description, types = KINDS[kind]
        if type(value) not in types:  # True is an int, too
            raise OptionError(
                f"`{option}` must be {description}. Received: {value!r}.", table, option
            )
        if not _is_size(value):
            raise OptionError(
                f"`{option}` must be finite and below 2^63. Received: "
                f"{bounded(value, 100)}.",
                table,
                option,
            )


def _is_size(value):
    """False for NaN, infinities and numbers of thousands of digits, in lists too."""
    if isinstance(value, (list, tuple)):
        return all(map(_is_size, value))
    is_number = isinstance(value, (int, float))
    return not is_number or -(2**63) < value < 2**63  # NaN is not, either


def check_named(options, key, functions, table, extra=None):
    """Check a table of options that names a function and gives its arguments.

    Args:
        options: dict with `key`, the name; the rest are arguments.
        key: "architecture".
        functions: dict from names to functions.
        table: name of the table, for messages.
        extra: defaults of options that are no arguments of the function.

    Raises:
        OptionError: if the name is missing or unknown, or an option is wrong.
    """
    if key not in options:
        raise OptionError(
            f"[{table}] must have `{key}`. Known: {', '.join(sorted(functions))}.",
            table,
        )
    with option_errors(table, key):
        function = look_up(options[key], functions, key)
    known = {key: "", **parameters(function), **(extra or {})}
    known.pop("root", None)  # the folder of a data set comes from the command line
    check_types(options, known, table)


@contextlib.contextmanager
def option_errors(table, option=None):
    """Name the table and the option in what a check raises."""
    try:
        yield
    except OptionError:
        raise
    except ValueError as error:
        raise OptionError(str(error), table, option) from error
