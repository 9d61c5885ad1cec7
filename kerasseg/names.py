"""Names: error messages for unknown ones, and the public names of packages."""

import ast
import contextlib
import difflib
import importlib
import importlib.util
import inspect
import pathlib

MAX_MESSAGE = 2000  # characters


def bounded(message, limit=MAX_MESSAGE):
    """Shorten the middle of a message that a file could make as long as it likes.

    Args:
        message: str, or anything that `str` takes.
        limit: most characters.

    Returns:
        str that any terminal, log and file takes: without lone surrogates and NUL.

    Example:
        >>> bounded("x" * 5000, 40)
        'xxxxxxxxxx ... (5000 characters) ... xxx'
    """
    message = str(message)
    if len(message) > limit:
        note = f" ... ({len(message)} characters) ... "
        tail = max((limit - len(note)) // 4, 0)
        head = max(limit - len(note) - tail, 0)
        message = message[:head] + note + message[len(message) - tail :]
    message = message.replace("\0", "\\0")
    return message.encode("utf-8", "backslashreplace").decode("utf-8")


def look_up(name, table, kind):
    """Return `table[name]`; an unknown name is an error that lists the choices.

    Args:
        name: the requested name.
        table: mapping from names to objects.
        kind: kind of the objects, for the message: "encoder".

    Raises:
        ValueError: if `name` is not in `table`; lists the choices and the most similar.

    Example:
        >>> look_up("b", {"a": 1, "b": 2}, "letter")
        2
    """
    with contextlib.suppress(TypeError):  # a list is no key
        if name in table:
            return table[name]
    raise ValueError(
        f"Unknown {kind}. Received: {name!r}.{nearest(name, table)} "
        f"Known: {', '.join(sorted(table))}."
    )


def check_options(options, known, where):
    """Raise a ValueError if an option is unknown.

    Args:
        options: iterable of the names of given options.
        known: iterable of the names of existing options.
        where: owner of the options, for the message: "[train]".

    Raises:
        ValueError: if an option is unknown; names the most similar known one.
    """
    known = list(known)
    for option in options:
        if option not in known:
            raise ValueError(
                f"Unknown option of {where}. Received: {option!r}."
                f"{nearest(option, known)} Known: {', '.join(sorted(known))}."
            )


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
        >>> check_types({"epochs": 2.5}, {"epochs": 10}, "train")
        Traceback (most recent call last):
        kerasseg.names.OptionError: `epochs` must be a whole number. Received: 2.5.
    """
    for option, value in options.items():
        with option_errors(table, option):
            check_options([option], defaults, f"[{table}]")
        default = defaults[option]
        kind = next((kind for kind in KINDS if isinstance(default, kind)), None)
        if value is None or kind is None:
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


def parameters(function):
    """Arguments of a function and their defaults, None where there is none.

    Example:
        >>> parameters(look_up)
        {'name': None, 'table': None, 'kind': None}
    """
    return {
        name: None if parameter.default is parameter.empty else parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is not parameter.VAR_KEYWORD
    }


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


def nearest(name, names):
    """Hint at the most similar name, for the end of an error message.

    Args:
        name: the unknown name.
        names: iterable of the known ones.

    Returns:
        " Did you mean '...'?", or "" if none is similar.

    Example:
        >>> nearest("unte", ["unet", "fcn"])
        " Did you mean 'unet'?"
    """
    close = difflib.get_close_matches(bounded(name, 200), list(names), n=1, cutoff=0.5)
    return f" Did you mean {close[0]!r}?" if close else ""


def public(namespace, package):
    """Public functions and classes in `namespace` that modules of `package` define.

    A package's `__init__` imports its public names; from them this function makes its
    table of names, so that adding a function takes one file and one import line.

    Args:
        namespace: `globals()` of the package.
        package: its `__name__`.

    Returns:
        dict from name to object, sorted by name.
    """
    return {
        name: value
        for name, value in sorted(namespace.items())
        if callable(value)
        and not name.startswith("_")
        and str(getattr(value, "__module__", "")).startswith(package + ".")
    }


def imported(package):
    """Names that a package's `__init__` imports from its modules, without importing it.

    For `kerasseg list`, which must not wait for TensorFlow.

    Args:
        package: dotted name, "kerasseg.zoo".

    Returns:
        Sorted list of names.
    """
    source = pathlib.Path(importlib.util.find_spec(package).origin).read_text()
    return sorted(
        alias.name
        for node in ast.parse(source).body
        if isinstance(node, ast.ImportFrom) and node.module.startswith(package + ".")
        for alias in node.names
    )


def lazy(package, places):
    """`__getattr__` and `__dir__` of a package whose names are imported on first use.

    Args:
        package: its `__name__`.
        places: dict from each public name to the module that defines it; None for the
            names of modules.

    Returns:
        The two functions (PEP 562).

    Example:
        >>> load, names = lazy("kerasseg", {"look_up": "names", "files": None})
        >>> load("look_up")(1, {1: "one"}, "number"), load("files").__name__
        ('one', 'kerasseg.files')
    """

    def load(name):
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = importlib.import_module(f"{package}.{places[name] or name}")
        return getattr(module, name) if places[name] else module

    return load, lambda: sorted(places)
