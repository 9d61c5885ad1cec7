"""Flags of prediction, made from the options of all tasks."""

import argparse
import dataclasses
import re

from kerasseg import tasks
from kerasseg.names import look_up

# Those of `export.save`; its own table would take TensorFlow to read.
EXPORTS = (
    *("tf_saved_model", "saved_model", "keras", "weights"),
    *("onnx", "openvino", "litert"),
)


def add_arguments(command):
    """Give a parser the flags of all options; nothing is given unless typed."""
    group = command.add_argument_group("options of prediction")
    for name, field in _fields().items():
        flag = _flag(name, field)
        known = {"dest": name, "default": None, "help": _help(name, field)}
        if choices := field.metadata.get("choices"):
            kinds = {"choices": choices, "nargs": "?", "const": choices[0]}
            off = {"action": "store_const", "const": False, "help": f"no {flag[2:]}"}
            group.add_argument(_no(flag), dest=name, **off)
            known["metavar"] = "|".join(choices)
        elif "const" in field.metadata or isinstance(field.default, bool):
            kinds = {"action": argparse.BooleanOptionalAction}
        else:
            kinds = {"type": _kind(field), "metavar": field.metadata.get("metavar")}
        group.add_argument(flag, **known, **kinds)
    group.add_argument(
        "--engine",
        choices=tasks.ENGINES,
        help="runtime that computes the model; auto: the fastest that is installed, by "
        "a trial that is remembered (default: tensorflow)",
    )


def with_words(argv):
    """Arguments, with a word for flags that may stand alone.

    argparse would take what follows for the word: the picture in `--flips a.png`.
    """
    known = {
        _flag(name, field): field.metadata["choices"]
        for name, field in _fields().items()
        if "choices" in field.metadata
    }
    found = []
    for argument, following in zip(argv, [*argv[1:], None]):
        choices = known.get(argument)
        alone = choices and following not in choices
        found.append(f"{argument}={choices[0]}" if alone else argument)
    return found


def export_format(name):
    """The name of a format of `export.save`, for a parser."""
    try:
        look_up(name, dict.fromkeys(EXPORTS), "format")
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return name


def are_known(arguments):
    """Whether a command has the flags of `add_arguments`."""
    return _fields().keys() <= vars(arguments).keys()


def flags(message):
    """Flags of the options that a message names, where they have other names.

    Example:
        >>> flags("`tile_px` must be above `overlap_px`.")
        'overlap_px is --overlap, tile_px is --tile'
    """
    found = []
    for name, field in _fields().items():
        flag = _flag(name, field)
        # "refine" may be a word of a sentence.
        quoted = rf"['`]{name}['`]|\b{name}=|Known: .*\b{name}\b"
        pattern = rf"\b{name}\b" if "_" in name else quoted
        if flag != "--" + name.replace("_", "-") and re.search(pattern, message):
            found.append(f"{name} is {flag}")
    return ", ".join(sorted(found))


def _flag(name, field):
    return "--" + field.metadata.get("name", name).replace("_", "-")


def _no(flag):
    return "--no-" + flag.removeprefix("--")


# Arguments of data sets that messages advise to give, as Python code.
ADVISED = re.compile(r"\b(values|colors)=(\{[^{}]*\}|\[[^][]*\])")


def pasteable(message):
    """The argument that a message advises, as an option of the command line, or None.

    Example:
        >>> pasteable("Received: 255. Fix: say so: values={0: 0, 255: 1}.")
        "--set 'data.values={0: 0, 255: 1}'"
    """
    advice = message.rpartition("Fix:")[2]
    found = ADVISED.search(advice)
    if not found or "..." in found[0] or "--set" in message:  # which shows it itself
        return None
    return f"--set 'data.{found[1]}={found[2]}'"


def given(arguments):
    """The options that were typed: dict by name."""
    found = {}
    for name, field in _fields().items():
        value = getattr(arguments, name)
        if value is None:  # not typed; --no-NAME is False
            continue
        if "const" in field.metadata:
            value = field.metadata["const"] if value else field.default
        found[name] = value
    if arguments.engine is not None:
        found["engine"] = arguments.engine
    return found


def _fields():
    """Fields of the options of all tasks by name; those of one name mean the same."""
    fields = {}
    for task in tasks.TASKS.values():
        for field in dataclasses.fields(task.options):
            fields.setdefault(field.name, field)
    return fields


def _help(name, field):
    """The help text, and the tasks that have the option, with their defaults."""
    known = {}
    for task in tasks.TASKS.values():
        if name in (options := task.default_options()):
            known.setdefault(options[name], []).append(task.name)
    parts = []
    for default, names in known.items():
        unset = default is None or default is False
        parts.append(", ".join(names) + ("" if unset else f": {default}"))
    every = sum(map(len, known.values())) == len(tasks.TASKS)
    if every and parts and not any(":" in part for part in parts):
        return field.metadata["help"]
    return f"{field.metadata['help']} ({'; '.join(parts)})"


def _kind(field):
    """Function from the word that was typed to a value of a field."""
    parts = getattr(field.type, "__args__", (field.type,))
    if parts[0] is tuple:
        return number_list
    # The first of a union: int of `int | None`.
    return parts[0]


def number_list(text):
    """Numbers between commas, as a tuple; whole ones as integers, such as class ids."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        return tuple(float(part) for part in text.split(","))


number_list.__name__ = "list of numbers"  # argparse shows it: "invalid list of numbers"
