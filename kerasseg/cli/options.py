"""Flags of prediction, made from the options of all tasks."""

import argparse
import dataclasses
import re

from kerasseg import tasks


def add_arguments(command):
    """Give a parser the flags of all options; nothing is given unless typed."""
    group = command.add_argument_group("options of prediction")
    for name, field in _fields().items():
        flag = "--" + field.metadata.get("name", name).replace("_", "-")
        known = {"dest": name, "default": None, "help": _help(name, field)}
        if "const" in field.metadata or isinstance(field.default, bool):
            kinds = {"action": argparse.BooleanOptionalAction}
        else:
            kinds = {"type": _kind(field), "metavar": field.metadata.get("metavar")}
        group.add_argument(flag, **known, **kinds)


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
        return _numbers
    # The first of a union: int of `int | None`.
    return parts[0]


def _numbers(text):
    """Numbers between commas; whole ones as integers, such as class ids."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        return tuple(float(part) for part in text.split(","))


_numbers.__name__ = "list of numbers"  # argparse shows it: "invalid list of numbers"
