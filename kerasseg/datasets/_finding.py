"""One kind of trouble with a data set. Private."""

import dataclasses

FAULT, WARNING, NOTE = "fault", "warning", "note"
FEW = 0.05  # share of masks with a number that may be a slip


@dataclasses.dataclass
class Finding:
    """One kind of trouble and all samples that have it.

    Attributes:
        kind: short name, for machines and for the repair: "sizes".
        severity: "fault" (spoils the training), "warning" or "note".
        text: sentence for people.
        names: of samples or files.
        fix: advice, or "".
        action: for the repair: mapping of numbers, {"values": {...}}, or None.
    """

    kind: str
    severity: str
    text: str
    names: list = dataclasses.field(default_factory=list)
    fix: str = ""
    action: dict | None = None


def count(things, noun):
    """Number of things in words."""
    num = len(things)
    plural = "classes" if noun == "class" else f"{noun}s"
    return f"{num} {noun if num == 1 else plural}"
