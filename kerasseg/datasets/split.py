"""A split by groups, for samples of any data set."""

import re

import numpy as np

from kerasseg.datasets import _near
from kerasseg.datasets._by_rule import select_by_hash
from kerasseg.images import ImageError
from kerasseg.names import check_samples, look_up


def split(samples, side, *, group=None, val_fraction=0.2):
    """The "train" or "val" part of samples, whole groups on one side.

    Sides are chosen by the SHA-256 of the names of groups, and changed where a class
    would be on one side only, see `folder`: the same samples always give the same
    split, on every machine. All labels are read for this.

    Args:
        samples: Samples.
        side: "train" or "val".
        group: regular expression that finds the group in a name: its first bracket, or
            all that it matches, such as r"^(patient\\d+)_". None keeps near duplicates
            together, which are told by their pictures, of up to 10,000.
        val_fraction: share of the groups in "val".

    Returns:
        Samples.

    Raises:
        ValueError: if the pattern is none, or a name has no group.
        ImageError: if there are fewer than two groups.

    Example:
        >>> from kerasseg import datasets
        >>> samples = datasets.shapes(8, size=64)
        >>> train = split(samples, "train", group=r"\\d$")
        >>> val = split(samples, "val", group=r"\\d$")
        >>> len(train) + len(val), bool({*train.names} & {*val.names})
        (8, False)
    """
    check_samples(samples, "names", "subset")
    look_up(side, {"train": None, "val": None}, "side of a split")
    keys, kinds = group_keys(samples, group), kinds_of(samples)
    entries = [(name, index) for index, name in enumerate(samples.names)]
    chosen = select_by_hash("samples", side, entries, val_fraction, kinds, keys)
    return samples.subset([index for _, index in chosen])


def group_keys(samples, group):
    """Key of the group of each sample, None for one of its own; None without files.

    Args:
        samples: Samples.
        group: as in `split`.
    """
    if group is not None:
        return [_key(group, name) for name in samples.names]
    files = [file for file, _ in samples.files or ()]
    return _near.keys_of(files, samples.names) if files else None


def kinds_of(samples):
    """Set of the classes in each sample."""
    kinds = []
    for index in range(len(samples)):
        try:
            label = samples[index]["label"]
            kinds.append({*np.unique(label).tolist()} - {samples.ignore_label})
        except (ImageError, OSError):  # whoever reads the sample learns what is wrong
            kinds.append(set())
    return kinds


def _key(group, name):
    try:
        found = re.search(group, name)
    except re.error as error:
        raise ValueError(
            f"`group` must be a regular expression. Received: {group!r}, {error}."
        ) from error
    if found is None:
        raise ValueError(
            "`group` must find a group in each name. "
            f"Received: {group!r} and the name {name!r}."
        )
    return found[1] if found.re.groups and found[1] is not None else found[0]
