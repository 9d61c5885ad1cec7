"""Errors as the command line tells them: with fixes that can be pasted."""

import collections
import contextlib
import json
import re
import sys

from kerasseg import names
from kerasseg.cli import options

MAX_MESSAGE = 10_000  # characters
NUL = "embedded null byte"  # all that Python says of it

# "(--set 'data.channels=5')" behind what it stands for, which may be one way of two:
# ", or read all: channels=5 (--set ...)".
SET = re.compile(
    r"(?:, or [^:;,()]*: \w+=\w+)? \((?:[a-z ]+: )?--set (?:'[^']*'|[^\s()]+)\)"
)

RECEIVED = re.compile(r"Received: .*?\.(?= Fix: |$)")
# The range that a picture would need, and all that is said behind it.
RANGE = re.compile(r"value_range=\(([-+.e\d]+), ([-+.e\d]+)\).*")


def fail(arguments, error, code):
    """Print an error, also as JSON where that was asked for, and return the code."""
    message = told(arguments, str(error))
    with contextlib.suppress(OSError):  # of a terminal that was closed
        if arguments.json:
            print(json.dumps({"error": message, "exit_code": code}))
        print(f"kerasseg: {message}", file=sys.stderr)
        if hint := _hint(arguments, message):
            print(hint, file=sys.stderr)
    return code


def list_failures(arguments, failed):
    """Print what failed, alike ones once, and the option that the first advises."""
    messages = []
    for message, others in alike(told(arguments, one["error"]) for one in failed):
        messages.append(message)
        print(f"kerasseg: {message}", file=sys.stderr)
        if others:
            paths = [other.partition(": ")[0] for other in others]
            some = ", ".join(paths[:3]) + ", ..." * (len(paths) > 3)
            print(f"kerasseg: {len(others)} more alike: {some}", file=sys.stderr)
    hints = [_hint(arguments, message) for message in messages]
    if any(hints):
        print(next(filter(None, hints)), file=sys.stderr)


def alike(messages):
    """Messages that say the same of several files, "FILE: what is wrong".

    Args:
        messages: iterable of str.

    Yields:
        (message, those alike): of ranges of values, the one that asks for the widest,
        which fits the others too.
    """
    groups = collections.defaultdict(list)
    for message in messages:
        # The numbers that were received may differ.
        text = RANGE.sub("", RECEIVED.sub("", message.partition(": ")[2]))
        groups[text].append(message)
    for some in groups.values():
        shown = max(some, key=_width)
        some.remove(shown)
        yield shown, some


def _width(message):
    found = RANGE.search(message)
    return float(found[2]) - float(found[1]) if found else 0.0


def told(arguments, message):
    """The message without advice to --set, for commands that have no such flag."""
    if message == NUL:
        given = [value for value in vars(arguments).values() if "\0" in str(value)]
        message = f"A path must not hold the character NUL. Received: {given}."
    message = message if hasattr(arguments, "set") else SET.sub("", message)
    return names.bounded(message, MAX_MESSAGE)


def _hint(arguments, message):
    """The option to paste that a message advises, or flags of options that it names."""
    hint = None
    if hasattr(arguments, "set"):
        hint = options.pasteable(message)
    if not hint and options.are_known(arguments):
        hint = options.flags(message)
    return f"kerasseg: on the command line: {hint}" if hint else None
