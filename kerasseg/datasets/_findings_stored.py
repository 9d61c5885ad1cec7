"""Findings about mask files whose meaning lies in palette or alpha. Private."""

import collections

from kerasseg.datasets._findings import FAULT, LIKE_OTHERS, Finding, count
from kerasseg.images import mask_kinds
from kerasseg.images.palettes import ids_of_palette


def of_stored(facts):
    """Findings about masks whose numbers, read as they are, say something else."""
    clear = [f for f in facts if f.in_alpha]
    if any(low < 128 <= high for low, high in (f.in_alpha for f in clear)):
        yield Finding(
            "mask in alpha",
            FAULT,
            f"{count(clear, 'mask')} of one colour, which only transparency tells "
            "apart; alpha is dropped",
            [f.name for f in clear],
            "Save alpha as the mask, or let --fix do it",
        )
    named = [f for f in facts if f.palette]
    owners = collections.defaultdict(set)
    for f in named:
        # Of a palette without colours of its own, such as all black, nothing is known.
        if len({*f.palette.values()}) == len(f.palette):
            for number, color in f.palette.items():
                owners[color].add(number)
    if any(len(numbers) > 1 for numbers in owners.values()) and len(owners) <= 32:
        table = ids_of_palette(owners)
        whole = len(named) == sum(f.values is not None for f in facts)
        yield Finding(
            "palettes",
            FAULT,
            f"{count(named, 'mask')} with palettes of their own, in which one colour "
            "has different numbers",
            [f.name for f in named],
            mask_kinds.to_paste("colors", table) if whole else LIKE_OTHERS,
            {"colors": table} if whole else None,
        )
