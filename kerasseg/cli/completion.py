"""Tab completion in shells, by argcomplete."""

import argparse
import os


def complete(parser):
    """Answer a shell that asks what a command line could go on with, and leave.

    Otherwise nothing happens. `eval "$(register-python-argcomplete kerasseg)"` lets a
    shell ask.

    Args:
        parser: of the command line.
    """
    if "_ARGCOMPLETE" not in os.environ:
        return
    import argcomplete

    for command in _commands(parser):
        for action in command._actions:
            if names := NAMES.get(action.dest):
                action.completer = lambda names=names, **_: names()
    argcomplete.autocomplete(parser)


def _commands(parser):
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.values()


def _recipes():
    from kerasseg import recipes

    return [*recipes.named(), *_files()]


def _weights():
    from kerasseg.weights import catalog

    return catalog.names()


def _of(*packages):
    from kerasseg.names import imported

    return [name for package in packages for name in imported(f"kerasseg.{package}")]


def _files():
    from argcomplete.completers import FilesCompleter

    return FilesCompleter()("")


# By the name that an argument has in the result of the parser.
NAMES = {
    "architecture": lambda: _of("zoo", "encoders"),
    "encoder": lambda: _of("encoders"),
    "init": _weights,
    "name": _weights,
    "recipe": _recipes,
    "weights": _weights,
}
