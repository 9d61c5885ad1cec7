"""Folds for cross-validation: every sample is validated once."""

import collections

from kerasseg.datasets._by_rule import hash_fraction
from kerasseg.datasets.split import group_keys, kinds_of
from kerasseg.images import ImageError
from kerasseg.names import check_samples, look_up


def fold(samples, side, *, fold, folds, group=None):
    """The "train" or "val" part of one of several folds of samples.

    Folds have equal shares of samples and, as far as groups allow, of each class:
    groups are dealt out one by one, those with the rarest classes first, each to the
    fold that has least of its rarest class. The order of equals is that of the SHA-256
    of their names, so the same samples give the same folds on every machine. All labels
    are read for this.

    Args:
        samples: Samples.
        side: "train" or "val".
        fold: number of the fold that is "val", from 0.
        folds: number of folds.
        group: as in `split`; groups stay in one fold.

    Returns:
        Samples.

    Raises:
        ValueError: if the numbers are none of folds, or the pattern is none.
        ImageError: if there are fewer groups than folds.

    Example:
        >>> from kerasseg import datasets
        >>> samples = datasets.shapes(6, size=64)
        >>> vals = [datasets.fold(samples, "val", fold=i, folds=3) for i in range(3)]
        >>> [len(val) for val in vals], len({n for val in vals for n in val.names})
        ([2, 2, 2], 6)
    """
    check_samples(samples, "names", "subset")
    look_up(side, {"train": None, "val": None}, "side of a fold")
    if folds < 2 or not 0 <= fold < folds:
        raise ValueError(
            "`folds` must be 2 or more, and `fold` in 0..folds - 1. "
            f"Received: fold={fold}, folds={folds}."
        )
    keys = group_keys(samples, group) or [None] * len(samples)
    keys = [name if key is None else key for name, key in zip(samples.names, keys)]
    units = collections.defaultdict(list)
    for index, key in enumerate(keys):
        units[key].append(index)
    if len(units) < folds:
        raise ImageError(
            "samples",
            f"{folds} groups of samples or more for {folds} folds",
            f"{len(units)}",
            "Ask for fewer folds",
        )
    chosen = _deal(units, kinds_of(samples), folds)
    val = [i for key in units if chosen[key] == fold for i in units[key]]
    val = sorted(val)
    if side == "val":
        return samples.subset(val)
    return samples.subset([i for i in range(len(samples)) if i not in {*val}])


def _deal(units, kinds, folds):
    """{key: number of its fold}."""
    classes = {
        key: set().union(*(kinds[i] for i in some)) for key, some in units.items()
    }
    common = collections.Counter(c for some in classes.values() for c in some)
    rarest = {
        key: min(some, key=lambda c: (common[c], c), default=None)
        for key, some in classes.items()
    }
    order = sorted(
        units, key=lambda k: (common.get(rarest[k], 0), hash_fraction(str(k)))
    )
    held = [collections.Counter() for _ in range(folds)]
    sizes, chosen = [0] * folds, {}
    for key in order:
        best = min(range(folds), key=lambda i: (held[i][rarest[key]], sizes[i], i))
        chosen[key] = best
        held[best].update(classes[key])
        sizes[best] += len(units[key])
    return chosen
