"""Findings about masks whose classes count from 1. Private."""

from kerasseg.datasets._finding import FAULT, FEW, WARNING, Finding, count
from kerasseg.images import mask_kinds

BACKGROUND = ("background", "_background_", "unlabelled", "unlabeled", "void", "other")


def of_numbers(plain, occurs, used, classes=None):
    """Findings about ids 1..n, of n classes or where 0 never occurs.

    Args:
        plain: facts of masks of ids.
        occurs: {number: number of masks with it}.
        used: all numbers but the ignored one.
        classes: names that the user gives, or None.
    """
    used = {number for number in used if any(number in f.values for f in plain)}
    most = int(max(used, default=0))
    num = most if classes is None else len(classes)
    if most != num and (0 in used or most > num or most < 2):
        return
    table = mask_kinds.ids_from_one(num)
    frequent = occurs[most] > max(1, FEW * len(plain))
    if table is None or not frequent or any(number % 1 for number in used):
        return
    if 0 not in used:
        table.pop(0)
    pasted = mask_kinds.to_paste("values", table)
    if classes is None:
        if len(used) == most > 1:
            yield _without_zero(
                "The masks count classes from 1; class 0 never occurs", pasted
            )
    elif most < num and classes[0].lower() not in BACKGROUND:
        yield _without_zero(
            f"Id 0, {classes[0]!r}, never occurs, as if the masks counted from 1",
            f"If they do, {pasted}",
        )
    elif most == num:
        yield _beyond(plain, classes, 0 in used, pasted, table)


def _without_zero(text, fix):
    return Finding("from one", WARNING, text, [], fix)


def _beyond(plain, classes, with_zero, pasted, table):
    """Finding about masks of n classes that hold the id n in many masks."""
    num = len(classes)
    owners = [f for f in plain if num in f.values]
    text = f"{count(owners, 'mask')} with id {num}, of {num} classes that begin with 0"
    fix, action = f"They count from 1: {pasted}", {"values": table}
    if with_zero:
        fix = f"If 0 is no class, {pasted}"
        if classes[0].lower() not in BACKGROUND:
            fix = f"If 0 is the background, name it before {classes[0]!r}; {fix}"
            fix = fix.replace("; If", "; if")
            action = {"first": BACKGROUND[0]}
    return Finding("from one", FAULT, text, [f.name for f in owners], fix, action)
