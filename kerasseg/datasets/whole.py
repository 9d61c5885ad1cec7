"""All samples of a data set, with the splits that it gives them."""

import dataclasses
import inspect

from kerasseg.datasets._splits import SPLITS, usual
from kerasseg.datasets.samples import join


def whole(read, root, **options):
    """All samples of a data set, with its own splits as `Samples.splits`.

    Args:
        read: function of `kerasseg.datasets` that reads it, such as `datasets.camvid`,
            which has nothing but splits.
        root: its folder.
        options: further arguments of `read`.

    Returns:
        Samples; `notes` say which splits are not there.

    Raises:
        ImageError: from reading.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from kerasseg import datasets
        >>> from kerasseg.images import write_image, write_mask
        >>> root = tempfile.mkdtemp()
        >>> for side in ("train", "val"):
        ...     write_image(f"{root}/{side}/images/a.png", np.zeros([4, 4, 3], "u1"))
        ...     write_mask(f"{root}/{side}/labels/a.png", np.diag([1, 1, 0, 0]))
        >>> samples = whole(datasets.folder, root)
        >>> samples.names, samples.splits
        (('train/a', 'val/a'), ('train', 'val'))
    """
    given = inspect.signature(read).parameters.get("split")
    if given is None or given.default is None:
        return read(root, **options)
    parts, errors = {}, {}
    for split in SPLITS:
        try:
            parts[split] = read(root, split, **options)
        except ValueError as error:  # not every copy has all of them
            errors[split] = error
    if not parts:
        raise errors["train"]
    notes = tuple(f"Left out: the split {x}: {error}" for x, error in errors.items())
    found = join(parts)
    return dataclasses.replace(found, notes=found.notes + notes)


def as_one(samples):
    """The same samples without splits, also where names are read as such.

    Args:
        samples: Samples.

    Returns:
        Samples, whose names do not begin with the folder of a split.

    Example:
        >>> from kerasseg import datasets
        >>> given = ("train/a", "city/b")
        >>> as_one(datasets.Samples(given, lambda index: {}, ("ground",))).names
        ('train_a', 'city/b')
    """
    names = (
        name.replace("/", "_", 1) if usual(name.partition("/")[0]) in SPLITS else name
        for name in samples.names
    )
    return dataclasses.replace(samples, names=tuple(names), splits=None)
