"""A split by rule: hashes of names, classes on both sides, groups together. Private."""

import collections
import hashlib
import pathlib

from kerasseg.datasets import _near
from kerasseg.images import ImageError


def select_by_hash(root, split, found, val_fraction, kinds=None, groups=None):
    """The part of `found`, tuples that begin with a name, that is "train" or "val".

    Args:
        root: for messages.
        split: "train" or "val".
        found: list of tuples.
        val_fraction: share of "val"; a name belongs there if its hash is below it.
        kinds: set of the classes in each sample. Where one side has less than half of
            its share of a class, samples with it change sides in the order of their
            hash, so that a class of two samples or more is on both.
        groups: a key for each sample, None for one of its own; samples of one key stay
            on one side, which the hash of the key chooses. Near duplicates have one key
            where the second of each tuple is the path of the image, up to 10,000.

    Raises:
        ImageError: if there are fewer than two.
    """
    groups = _with_near(found, groups)
    if groups is not None and any(key is not None for key in groups):
        return _select_groups(root, split, found, val_fraction, kinds, groups)
    if len(found) < 2:
        raise ImageError(
            root,
            "two samples or more to make a train and a val split",
            f"{len(found)}",
            "Add images; split=None reads them undivided",
        )
    ranks = {entry[0]: hash_fraction(entry[0]) for entry in found}
    val = {name for name, rank in ranks.items() if rank < val_fraction}
    if len(val) in (0, len(found)):  # of few names all may fall on one side
        val = {min(ranks, key=ranks.get)}
    if kinds is not None:
        names = [entry[0] for entry in found]
        val = _stratified(val, dict(zip(names, kinds)), ranks, val_fraction)
    return [entry for entry in found if (entry[0] in val) == (split == "val")]


def _with_near(found, groups):
    """Groups, and near duplicates where entries name their image files second."""
    with_files = all(
        len(entry) > 1 and isinstance(entry[1], pathlib.Path) for entry in found
    )
    if not with_files or (groups is not None and None not in groups):
        return groups
    near = _near.keys_of([entry[1] for entry in found], [entry[0] for entry in found])
    if groups is None:
        return near
    return [one if own is None else own for one, own in zip(near, groups)]


def _select_groups(root, split, found, val_fraction, kinds, groups):
    """As `select_by_hash`, of whole groups."""
    keys = [entry[0] if key is None else str(key) for entry, key in zip(found, groups)]
    units = {key: (key,) for key in keys}
    if len(units) < 2:
        raise ImageError(
            root,
            "two groups of samples or more to make a train and a val split",
            f"one, {keys[0]!r}",
            "Give another pattern of groups, or split=None",
        )
    classes = None
    if kinds is not None:
        united = {key: set() for key in units}
        for key, some in zip(keys, kinds):
            united[key] |= some
        classes = list(united.values())
    chosen = select_by_hash(root, split, list(units.values()), val_fraction, classes)
    wanted = {key for (key,) in chosen}
    return [entry for entry, key in zip(found, keys) if key in wanted]


def _stratified(val, kinds, ranks, val_fraction):
    """Names of "val", changed such that every class is on both sides."""
    members = collections.defaultdict(list)
    for name, classes in kinds.items():
        for class_id in classes:
            members[class_id].append(name)
    val = set(val)
    shares = {True: val_fraction, False: 1 - val_fraction}
    least = {
        (class_id, side): max(1, round(share * len(names) / 2))
        for class_id, names in members.items()
        for side, share in shares.items()
        if len(names) > 1
    }
    held = {
        place: sum((name in val) == place[1] for name in members[place[0]])
        for place in least
    }
    # The rarest class first: it has the least choice.
    for class_id, side in sorted(least, key=lambda p: (len(members[p[0]]), not p[1])):
        order = sorted(members[class_id], key=ranks.get, reverse=not side)
        for name in order:
            if held[class_id, side] >= least[class_id, side]:
                break
            own = [c for c in kinds[name] if (c, side) in least]
            # Not where it would leave another class without its least on that side.
            if (name in val) == side or any(
                held[c, not side] <= least[c, not side] for c in own
            ):
                continue
            val.symmetric_difference_update({name})
            for c in own:
                held[c, side] += 1
                held[c, not side] -= 1
    return val


def hash_fraction(name):
    """The SHA-256 of a name as a fraction of its range: the same on every machine."""
    # Not Python's hash(), which differs from process to process.
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
