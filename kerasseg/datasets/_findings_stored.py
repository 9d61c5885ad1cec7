"""Findings about mask files whose meaning lies in palette or alpha. Private."""

from kerasseg.datasets._finding import FAULT, Finding, count
from kerasseg.datasets._findings import LIKE_OTHERS
from kerasseg.images import mask_kinds
from kerasseg.images.palettes import contradicting_colors


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
    table = contradicting_colors([f.palette for f in named])
    if table:
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
