"""Extension of griffe: examples of docstrings become blocks of code."""

import re

import griffe

# Lines of one example, however far they are indented: ">>> ..." and what follows.
PROMPT = re.compile(r"^( *)>>> .*\n(?:\1\S.*\n?|\1 +\S.*\n?)*", re.M)


class Examples(griffe.Extension):
    """Writes "Example:" as the heading that griffe knows, and fences other code."""

    def on_object(self, *, obj, **_):
        if obj.docstring:
            obj.docstring.value = rewritten(obj.docstring.value)


def rewritten(text):
    """Docstring with its examples as griffe and Markdown know them."""
    text, found, example = text.partition("\nExample:\n")
    text = PROMPT.sub(fenced, text)
    return text + (found and "\nExamples:\n") + example


def fenced(match):
    lines = match[0].rstrip("\n").split("\n")
    indent = len(match[1])
    return "\n".join(["```pycon", *(line[indent:] for line in lines), "```", ""])
