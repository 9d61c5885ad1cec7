"""Findings about masks in colour whose table of colours is given. Private."""

import collections

from kerasseg.datasets._finding import FAULT, Finding, count
from kerasseg.datasets._findings import blurred_colors_of
from kerasseg.images import blurred_colors


def of_table(facts, table):
    """Findings about masks that hold other colours than those of a table.

    Args:
        facts: of masks as they are stored.
        table: {(r, g, b): class id}.
    """
    read = [f for f in facts if f.values is not None or f.colors is not None]
    odd = [f for f in read if f.lossy or {*_colors_of(f)} - {*table}]
    if not odd:
        return
    every, flat = collections.Counter(), collections.Counter()
    for f in odd:
        every.update(_colors_of(f))
        flat.update(f.flat or {})
    meant, _ = blurred_colors.meant_colors(flat, every) or ([], 0)
    unknown = [color for color in meant if _away(color, table) > blurred_colors.NEAR]
    if meant and not unknown:
        far = sum(n for c, n in every.items() if _away(c, table) > blurred_colors.NEAR)
        yield blurred_colors_of(odd, True, table, far / every.total())
        return
    unknown = unknown or [c for c, _ in every.most_common() if c not in table]
    shown = ", ".join(f"{color} ({every[color]} pixels)" for color in unknown[:4])
    yield Finding(
        "unknown colours",
        FAULT,
        f"{count(odd, 'mask')} with colours that the table of {len(table)} does not "
        f"have: {shown}{', ...' * (len(unknown) > 4)}",
        [f.name for f in odd],
        "Add them to the table, with 255 for pixels to ignore",
    )


def _away(color, table):
    """Largest difference of a channel from the nearest colour of a table."""
    return min(max(abs(a - b) for a, b in zip(color, one)) for one in table)


def _colors_of(f):
    """{(r, g, b): pixels} of a mask in colour, in grey, or with a palette."""
    if f.colors is not None:
        return f.colors
    numbers = {int(number): num for number, num in f.values.items()}
    palette = f.palette or {}
    found = collections.Counter()
    for number, num in numbers.items():
        found[palette.get(number, (number,) * 3)] += num
    return found
