"""XML files of annotations as a tree with line numbers, nothing else. Private."""

import dataclasses
import pathlib
from xml.parsers import expat

from kerasseg.images import ImageError

MAX_BYTES = 2**28
DEPTH = 32
# Annotations become a tree of ten times their size, elements without content of 60.
TREE_PER_BYTE, FEW_BYTES = 16, 2**26
ELEMENT_BYTES, ATTRIBUTE_BYTES = 256, 128


@dataclasses.dataclass(slots=True)
class Element:
    """One element: tag, attributes, line, children, and the text in it."""

    tag: str
    attributes: dict
    line: int
    children: list = dataclasses.field(default_factory=list)
    text: str = ""

    def all(self, *tags):
        """Children with one of these tags."""
        return [child for child in self.children if child.tag in tags]

    def first(self, *path):
        """Descendant by a path of tags, or None."""
        found = self
        for tag in path:
            found = next(iter(found.all(tag)), None)
            if found is None:
                return None
        return found


def read(path):
    """Root element of a file.

    Documents with a DOCTYPE are refused: it is the door to entities, which can grow
    without bound or name other files.

    Raises:
        ImageError: naming file and line.
    """
    path = pathlib.Path(path)
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise ImageError(
            path, f"at most {MAX_BYTES} bytes", f"{size} bytes", "Split it"
        )
    parser = expat.ParserCreate()
    top = Element("", {}, 0)
    stack, texts, left = [top], [[]], TREE_PER_BYTE * size + FEW_BYTES

    def start(tag, attributes):
        nonlocal left
        left -= ELEMENT_BYTES + ATTRIBUTE_BYTES * len(attributes)
        if left < 0:
            raise ValueError("little but elements without content")
        if len(stack) > DEPTH:
            raise ValueError(f"more than {DEPTH} elements within each other")
        element = Element(tag, attributes, parser.CurrentLineNumber)
        stack[-1].children.append(element)
        stack.append(element)
        texts.append([])

    def end(tag):
        stack.pop().text = "".join(texts.pop())

    def refuse(*_):
        raise ValueError("a DOCTYPE or an entity, which no tool's annotations need")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = lambda data: texts[-1].append(data)
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        with open(path, "rb") as file:
            parser.ParseFile(file)
    except (expat.ExpatError, LookupError, ValueError, OSError) as error:
        raise ImageError(
            path,
            "well-formed XML",
            f"line {parser.CurrentLineNumber}: {error}",
            "Export it again",
        ) from error
    return top.children[0]
