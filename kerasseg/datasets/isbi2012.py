"""ISBI 2012: membranes of neurons in serial-section electron microscopy."""

import dataclasses

from kerasseg.datasets.folder import folder
from kerasseg.images import ImageError
from kerasseg.names import look_up

CLASSES = ("interior", "membrane")
COLORS = ((70, 70, 80), (250, 205, 70))
# Blocks of consecutive slices, because neighbouring slices look alike.
SPLITS = {"train": range(16), "val": range(16, 20), "test": range(20, 30), "all": None}


def isbi2012(root, split="train"):
    """Membranes between neurons of a fly larva, 512 x 512 grey slices of one volume.

    Args:
        root: folder with `images/NN.png` and `labels/NN.png`, NN being the slice. The
            masks hold 0 for membrane and 255 for interior, which is inverted here.
        split: "train" (slices 00-15), "val" (16-19), "test" (20-29), or "all" that are
            there. Slices 15 and 16 are neighbours in the tissue and look alike.

    Returns:
        Samples of `image` uint8 [512, 512, 1] and `label` 0 interior, 1 membrane.

    Raises:
        ImageError: if files are missing.
        ValueError: if there is no such split.

    Reference: Arganda-Carreras et al., 2015, https://doi.org/10.3389/fnana.2015.00142
    """
    slices = look_up(split, SPLITS, "split of isbi2012")
    samples = folder(root, channels=1, classes=CLASSES, values={0: 1, 255: 0})
    samples = dataclasses.replace(samples, colors=COLORS)
    if slices is None:
        return samples
    wanted = [f"{number:02d}" for number in slices]
    missing = [name for name in wanted if name not in samples.names]
    if missing:
        raise ImageError(
            root,
            f"slices {wanted[0]} to {wanted[-1]} for split={split!r}",
            f"a folder without {', '.join(missing[:4])}{', ...' * (len(missing) > 4)}",
            'Give another split, or "all"',
        )
    return samples.subset([samples.names.index(name) for name in wanted])
