"""Extension of griffe: examples and results of docstrings as Markdown."""

import re
import textwrap

import griffe

# Lines of one example, however far they are indented: ">>> ..." and what follows.
PROMPT = re.compile(r"^( *)>>> .*\n(?:\1\S.*\n?|\1 +\S.*\n?)*", re.M)
# griffe takes what stands before a colon for a type, also in {"boxes": ...}.
RETURNS = re.compile(r"^Returns:\n((?: {4}.*(?:\n|\Z)|\n(?= {4}))+)", re.M)


class Examples(griffe.Extension):
    """Writes docstrings so that griffe and Markdown show all of them."""

    def on_object(self, *, obj, **_):
        if obj.docstring:
            obj.docstring.value = rewritten(obj.docstring.value)


def rewritten(text):
    """Docstring whose examples are fenced, and whose results are a paragraph."""
    text = re.sub(r" *# doctest: .*", "", text)
    text, found, example = text.partition("\nExample:\n")
    text = RETURNS.sub(plain, PROMPT.sub(fenced, text))
    return text + (found and "\nExamples:\n") + example


def plain(match):
    return f"**Returns:**\n\n{textwrap.dedent(match[1])}"


def fenced(match):
    lines = match[0].rstrip("\n").split("\n")
    indent = len(match[1])
    return "\n".join(["```pycon", *(line[indent:] for line in lines), "```", ""])
