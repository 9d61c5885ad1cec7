"""Forms in which tools write data sets, told from what lies in a folder. Private."""

from collections.abc import Callable
from typing import NamedTuple

from kerasseg.datasets import _sniff
from kerasseg.images import ImageError


class Form(NamedTuple):
    """The form that a data set function reads, as its attribute `form`.

    Attributes:
        title: of the form, for people: "YOLO polygons".
        find: function of a folder -> evidence that it holds this form, as text for
            people; None where it does not.
        is_general: whether any other form that is found is meant rather than this one.
    """

    title: str
    find: Callable
    is_general: bool = False


class Format(NamedTuple):
    """The form of a folder.

    Attributes:
        name: of the function of `kerasseg.datasets` that reads it.
        title: of the form, for people.
        evidence: files that told.
        others: names of the other functions that could read the folder.
    """

    name: str
    title: str
    evidence: str
    others: tuple = ()


def reads(title, find, *, is_general=False):
    """Decorator of a data set function: the form that it reads, and how it is told."""

    def mark(function):
        function.form = Form(title, find, is_general)
        return function

    return mark


def find_format(root, readers):
    """`Format` of a folder among data set functions by name.

    Raises:
        ImageError: if no form is known; says what lies there, and what it looks like.
    """
    forms = {name: f.form for name, f in readers.items() if hasattr(f, "form")}
    found = []
    for name in sorted(forms, key=lambda name: (forms[name].is_general, name)):
        if evidence := forms[name].find(root):
            found.append((name, forms[name], evidence))
    if not found:
        raise _unknown(root)
    name, form, evidence = found[0]
    others = tuple(name for name, other, _ in found[1:] if not other.is_general)
    return Format(name, form.title, evidence, others)


def _unknown(root):
    # All by their titles would hide what follows.
    known = "a data set in a form that is known, see `kerasseg list`"
    for looks_like, fix in _sniff.unreadable(root):
        return ImageError(root, known, looks_like, fix)
    held = _sniff.summary(root)
    return ImageError(
        root,
        known,
        held,
        "Put images into images/ and masks of the same names into labels/ (one for "
        "each class: masks/CLASS/; for each person: masks/annotator1/), or give the "
        "folder above or below; --format NAME says which form is meant",
    )
