"""Names: error messages for unknown ones, and the public names of packages."""

import ast
import collections
import contextlib
import difflib
import importlib
import importlib.abc
import importlib.metadata
import importlib.util
import inspect
import pathlib
import re
import sys

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


def check_samples(samples, *needed):
    """Raise a ValueError if these are not samples, such as a plain list of dicts.

    Args:
        samples: `datasets.Samples`, or what a user gives in their place.
        needed: names of the attributes that they must have.

    Raises:
        ValueError: if one is missing; says how samples are made.
    """
    missing = [name for name in needed if not hasattr(samples, name)]
    if missing:
        raise ValueError(
            "`samples` must be those of a data set; of arrays, a list or a "
            "tf.data.Dataset, kerasseg.datasets.Samples(names, read, classes) makes "
            "them: `read` is a function of the index, such as my_list.__getitem__. "
            f"Received: {type(samples).__name__} without {', '.join(missing)}."
        )


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

    Those of modules that begin with an underscore are none of its own.

    For `kerasseg list`, which must not wait for TensorFlow.

    Args:
        package: dotted name, "kerasseg.zoo".

    Returns:
        Sorted list of names.
    """
    source = pathlib.Path(importlib.util.find_spec(package).origin).read_text()
    public = re.escape(package) + r"\.[^_]"
    return sorted(
        alias.name
        for node in ast.parse(source).body
        if isinstance(node, ast.ImportFrom) and re.match(public, node.module)
        for alias in node.names
    )


class Table(collections.UserDict):
    """Functions by name, our own and those that installed packages add.

    A package adds some by entry points of the group, which in its setup.cfg is

        [options.entry_points]
        kerasseg.zoo =
            my_net = my_package.nets:my_net

    They are imported when they are asked for, not before. Our own names win.

    Args:
        own: dict from name to function.
        group: of the entry points, the name of the package that holds the table.
        attribute: name of what a function must have to be one of them, or None.
    """

    def __init__(self, own, group, attribute=None):
        super().__init__(own)
        self.group, self.attribute = group, attribute
        for point in added(group):
            self.data.setdefault(point.name, point)

    def __getitem__(self, name):
        value = super().__getitem__(name)
        if isinstance(value, importlib.metadata.EntryPoint):
            value = self.data[name] = self._imported(value)
        return value

    def _imported(self, point):
        owner = f"the package {point.dist.name!r}" if point.dist else "a package"
        try:
            function = point.load()
        except Exception as error:  # whatever a stranger's module raises
            raise ImportError(
                f"{point.name!r} of {self.group} comes from {owner}, {point.value}, "
                f"which fails: {type(error).__name__}: {bounded(error, 500)}"
            ) from error
        if not callable(function) or (
            self.attribute and not hasattr(function, self.attribute)
        ):
            raise ImportError(
                f"{point.value} of {owner} must be a function like the others of "
                f"{self.group}, see CONTRIBUTING.md. Received: {function!r}."
            )
        return function


def added(group):
    """Entry points of a group, in the order of their names."""
    return sorted(importlib.metadata.entry_points(group=group), key=lambda x: x.name)


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


REGISTERED = re.compile(
    r'^@keras\.saving\.register_keras_serializable\("kerasseg"\)\n(?:class|def) (\w+)',
    re.M,
)


def announce_to_keras():
    """Let Keras load models of this library whose modules are not imported yet.

    Keras looks up the classes of a file in the table of registered objects, where a
    module enters its own when it is imported. Until then deputies stand there, which
    import it when they are asked. The table exists once Keras is imported, which this
    function waits for: it imports nothing itself.
    """
    if "keras" in sys.modules:
        _enter_deputies()
    else:
        sys.meta_path.insert(0, _AfterKeras())


class _AfterKeras(importlib.abc.MetaPathFinder):
    """Lets others find `keras`, and is told when its import has ended."""

    def find_spec(self, fullname, path, target=None):
        if fullname != "keras":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_enter(module):
                execute(module)
                _enter_deputies()

            spec.loader.exec_module = execute_and_enter
        return spec


class _Deputy:
    """Stands for a class until the modules that register are imported, all at once.

    All, because a function, such as an initializer, is not called by Keras but kept.
    """

    def __init__(self, modules, module, name):
        self.modules, self.module, self.name = modules, module, name

    def from_config(self, config):
        found = {name: importlib.import_module(name) for name in self.modules}
        return getattr(found[self.module], self.name).from_config(config)


def _enter_deputies():
    import keras

    root, found = pathlib.Path(__file__).parent, {}
    for file in root.rglob("*.py"):
        module = ".".join(file.relative_to(root.parent).with_suffix("").parts)
        for name in REGISTERED.findall(file.read_text(encoding="utf-8")):
            found[name] = module
    modules = sorted(set(found.values()))
    table = keras.saving.get_custom_objects()
    for name, module in found.items():
        table.setdefault(f"kerasseg>{name}", _Deputy(modules, module, name))
