"""CamVid: street scenes from a driving car, in the 11 classes of SegNet."""

import dataclasses

from kerasseg.datasets.folder import folder
from kerasseg.names import look_up

# In the order of the ids in SegNet's label images, where 11 is unlabelled.
CLASSES = (
    "sky",
    "building",
    "pole",
    "road",
    "pavement",
    "tree",
    "sign symbol",
    "fence",
    "car",
    "pedestrian",
    "bicyclist",
)
COLORS = (
    (128, 128, 128),
    (128, 0, 0),
    (192, 192, 128),
    (128, 64, 128),
    (60, 40, 222),
    (128, 128, 0),
    (192, 128, 128),
    (64, 64, 128),
    (64, 0, 128),
    (64, 64, 0),
    (0, 128, 192),
)
SPLITS = ("train", "val", "test")


def camvid(root, split="train"):
    """Street scenes, 360 x 480, in 11 classes; id 11 of the files becomes 255, ignored.

    Neighbouring frames look alike, and the film 0016E5 is in train and in val.

    Args:
        root: folder with `<split>/images/NAME.jpg` and `<split>/labels/NAME.png` of
            class indices 0..11.
        split: "train" (367 frames), "val" (101) or "test" (233).

    Returns:
        Samples of `image` uint8 [360, 480, 3] and `label` 0..10 or 255.

    Raises:
        ImageError: if files are missing.
        ValueError: if there is no such split.

    Reference: Brostow et al., 2009, https://doi.org/10.1016/j.patrec.2008.04.005;
        classes of Badrinarayanan et al., 2017, https://arxiv.org/abs/1511.00561
    """
    look_up(split, dict.fromkeys(SPLITS), "split of camvid")
    ids = {class_id: class_id for class_id in range(len(CLASSES))}
    samples = folder(root, split, classes=CLASSES, values={**ids, len(CLASSES): 255})
    return dataclasses.replace(samples, colors=COLORS)
