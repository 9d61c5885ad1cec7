"""CHASE_DB1: blood vessels of the retina in photographs of children's eyes."""

import dataclasses
import pathlib
import re

from kerasseg.datasets.folder import folder
from kerasseg.images import ImageError, read_mask
from kerasseg.names import look_up

CLASSES = ("background", "vessel")
COLORS = ((30, 20, 20), (90, 220, 130))
VALUES = {0: 0, 1: 1, 255: 1}  # files of one bit, and copies of eight
# By child, because both eyes of one look alike. Children 1 to 10 are those of the
# usual training half; the test half is never looked at while a recipe is made.
SPLITS = {
    "train": range(1, 9),
    "val": range(9, 11),
    "test": range(11, 15),
    "all": range(1, 15),
}


def chase_db1(root, split="train", *, observer=1):
    """Vessels of the retina, 999 x 960 pixels, by one of two human observers.

    Args:
        root: folder with `Image_NNS.jpg`, NN the child and S its left or right eye, and
            `Image_NNS_1stHO.png` and `_2ndHO.png`, vessels 255.
        split: "train" (children 1-8), "val" (9-10), "test" (11-14), or "all" that are
            there.
        observer: whose masks are the labels, 1 (as in papers) or 2.

    Returns:
        Samples of `image` uint8 [960, 999, 3] and `label` 0 background, 1 vessel.

    Raises:
        ImageError: if there are no images of that split.
        ValueError: if there is no such split or observer.

    Reference: Fraz et al., 2012, https://doi.org/10.1109/TBME.2012.2205687
    """
    children = look_up(split, SPLITS, "split of chase_db1")
    if observer not in (1, 2):
        raise ValueError(f"`observer` must be 1 or 2. Received: observer={observer!r}.")
    samples = folder(root, classes=CLASSES, values=VALUES)
    samples = dataclasses.replace(samples, colors=COLORS)
    numbers = [re.match(r"Image_(\d+)[LR]$", name) for name in samples.names]
    chosen = [i for i, x in enumerate(numbers) if x and int(x[1]) in children]
    if not chosen:
        raise ImageError(
            root,
            f"Image_NNL.jpg and Image_NNR.jpg of children {children[0]} to "
            f"{children[-1]}",
            f"{len(samples)} images without them",
            'Give another split, or "all"',
        )
    samples = samples.subset(chosen)
    return samples if observer == 1 else _by_second_observer(samples)


def _by_second_observer(samples):
    """The same images with the masks of the other observer."""
    paths = [pathlib.Path(image) for image, _ in samples.files]
    masks = [path.with_name(f"{path.stem}_2ndHO.png") for path in paths]
    read = samples.read

    def read_with(index):
        label = read_mask(masks[index], values=VALUES)
        return {**read(index), "label": label.astype("int32")}

    files = tuple((image, mask) for (image, _), mask in zip(samples.files, masks))
    return dataclasses.replace(samples, read=read_with, files=files)
