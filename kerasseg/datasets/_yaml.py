"""The few keys of YOLO's data.yaml, without a reader of all YAML. Private."""

import re

from kerasseg.datasets._annotations import read_text
from kerasseg.images import ImageError

KEYS = ("path", "train", "val", "valid", "test", "names", "nc")
MAX_LINES, MAX_BYTES = 200_000, 2**24


def read(path):
    """Known keys of a file: text, a list, or a dict; anchors and tags are refused.

    Raises:
        ImageError: naming the line that is none of what data.yaml holds.
    """
    found, key = {}, None
    lines = read_text(path, MAX_BYTES).splitlines()
    if len(lines) > MAX_LINES:
        raise _wrong(path, len(lines), "a file of so many lines")
    number = 0
    while number < len(lines):
        line = _without_comment(lines[number])
        number += 1
        if not line.strip() or line.strip() in ("---", "..."):
            continue
        if top := re.match(r"(['\"]?)(\w[\w-]*)\1\s*:\s*(.*)$", line):
            key, text = top[2], top[3].strip()
            if key in found:
                raise _wrong(path, number, f"{key!r} twice")
            start = number
            text, number = _closed(text, lines, number)
            if text is None:
                raise _wrong(path, start, f"{key!r} without a closing bracket")
            if key in KEYS:
                found[key] = _value(path, start, text)
        elif key in KEYS:
            _add_entry(path, number, found, key, line)
    return found


def _add_entry(path, number, found, key, line):
    """A line of a list or of a mapping below its key."""
    item = re.match(r"\s*-\s+(.*)$", line)
    # No two parts that may both take a space: time by the square of their number.
    pair = re.match(r"\s+(['\"]?)([\w.-]+(?: +[\w.-]+)*)\1\s*:\s+(.+)$", line)
    empty = {} if pair and not item else []
    if not found.get(key):
        found[key] = empty
    if item and isinstance(found[key], list):
        found[key].append(_scalar(path, number, item[1]))
    elif pair and isinstance(found[key], dict):
        found[key][pair[2]] = _scalar(path, number, pair[3])
    else:
        raise _wrong(path, number, line.strip())


def _value(path, number, text):
    if text[:1] == "[" and text[-1] == "]":
        return [_scalar(path, number, part) for part in _split(text[1:-1])]
    if text[:1] == "{" and text[-1] == "}":
        pairs = [part.partition(":") for part in _split(text[1:-1])]
        return {
            key.strip().strip("'\""): _scalar(path, number, value)
            for key, _, value in pairs
        }
    return _scalar(path, number, text)


def _scalar(path, number, text):
    text = text.strip()
    if text[:1] in ("&", "*", "!", "|", ">", "[", "{", "%", "@", "`"):
        raise _wrong(path, number, text)
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        quote, text = text[0], text[1:-1]
        return text.replace("''", "'") if quote == "'" else text.replace('\\"', '"')
    return "" if text in ("null", "~") else text


def _split(text):
    """Parts between commas that stand in no quotes."""
    cuts = [place for place, sign in _outside_quotes(text) if sign == ","]
    ends = zip([-1, *cuts], [*cuts, len(text)])
    parts = [text[start + 1 : end].strip() for start, end in ends]
    return [part for part in parts if part]


def _closed(text, lines, number):
    """A list or mapping in brackets that may go on over lines, and the line after it.

    Returns:
        (text, or None if it never ends; number of the next line).
    """
    begin, end = text[:1], {"[": "]", "{": "}"}.get(text[:1])
    parts, depth, state = [text], 0, [None, " "]
    while end:
        signs = [sign for _, sign in _outside_quotes(parts[-1], state)]
        depth += signs.count(begin) - signs.count(end)
        if depth <= 0:
            break
        if number >= len(lines):
            return None, number
        parts.append(" " + _without_comment(lines[number]).strip())
        number += 1
    return "".join(parts), number


def _without_comment(line):
    """A line up to a `#` that stands in no quotes and begins a word."""
    for place, sign in _outside_quotes(line):
        if sign == "#" and (not place or line[place - 1] in " \t"):
            return line[:place].rstrip()
    return line.rstrip()


def _outside_quotes(text, state=(None, " ")):
    """(place, sign) of the signs of a text that stand in no quotes.

    `state` is a list of the open quote and the sign before, where a text goes on.
    """
    quote, before = state
    for place, sign in enumerate(text):
        if quote:
            quote = None if sign == quote else quote
        elif sign in "'\"" and before in " \t[{,:":  # not that of "it's"
            quote = sign
        else:
            yield place, sign
        before = sign
    if isinstance(state, list):
        state[:] = quote, before


def _wrong(path, number, received):
    return ImageError(
        path,
        f"{', '.join(KEYS)} as text, a list or numbered names",
        f"line {number}: {received}"[:120],
        "Write it plainly: names: [cat, dog]",
    )
