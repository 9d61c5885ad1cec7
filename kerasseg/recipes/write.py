"""Writes recipes as TOML, with the reasons of a plan as comments."""

import json
import re
import textwrap

from kerasseg.recipes.options import TABLES, as_list

WIDTH = 88


def dump(recipe, comments=None, head=()):
    """Write a resolved recipe as TOML text, such that `read` gives it back.

    Args:
        recipe: resolved recipe.
        comments: {(table, key): text} to stand above a key; above the first of
            several [[loss]] that have it. A key of None stands for the table.
        head: lines of text to stand at the top.

    Returns:
        str.
    """
    comments, lines = dict(comments or {}), []
    for line in head:
        lines += _comment(line)
    if head:
        lines.append("")
    for table in TABLES:
        if not recipe[table]:  # [predict] and [loss] may hold nothing
            continue
        for options in as_list(recipe[table]):
            lines += _comment(comments.pop((table, None), ""))
            several = isinstance(recipe[table], list)
            lines.append(f"[[{table}]]" if several else f"[{table}]")
            for key, value in options.items():
                lines += _comment(comments.pop((table, key), ""))
                lines.append(f"{key} = {_toml(value)}")
            lines.append("")
    return "\n".join(lines)


def _comment(text):
    """Lines of a comment; a control character would end it, or not be TOML."""
    text = re.sub(r"[\x00-\x1f\x7f]+", " ", text)
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return [
        f"# {line}" for line in textwrap.wrap(text, WIDTH - 2, break_on_hyphens=False)
    ]


def _bare(key):
    """A key as TOML takes it, in quotes where it must be."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _toml(key)


def _toml(value):
    if value is None:
        return '"none"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_bare(k)} = {_toml(v)}' for k, v in value.items())}}}"
    return repr(value)
