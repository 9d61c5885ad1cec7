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
    alike = collections.defaultdict(list)
    for failure in failed:
        message = told(arguments, failure["error"])
        path, _, text = message.partition(": ")
        # The numbers that were received may differ.
        alike[RECEIVED.sub("", text)].append((path, message))
    messages = []
    for (_, message), *others in alike.values():
        messages.append(message)
        print(f"kerasseg: {message}", file=sys.stderr)
        if others:
            some = ", ".join(path for path, _ in others[:3]) + ", ..." * (
                len(others) > 3
            )
            print(f"kerasseg: {len(others)} more alike: {some}", file=sys.stderr)
    hints = [_hint(arguments, message) for message in messages]
    if any(hints):
        print(next(filter(None, hints)), file=sys.stderr)


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
