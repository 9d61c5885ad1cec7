"""Samples that are numbers, shared by the tests of the pipeline."""

import numpy as np

from kerasseg import images
from kerasseg.datasets import Samples, folder


def read_constant(index):
    """A picture whose every value, and whose label, is its own number."""
    image = np.full((4, 6, 3), index, np.uint8)
    return {"image": image, "label": np.full((4, 6), index, np.int32)}


def make_samples(num=10, read=read_constant):
    names = tuple(f"picture {index}" for index in range(num))
    return Samples(names, read, ("ground",))


def numbers(dataset, batches):
    """Which samples the first batches hold."""
    found = [labels[:, 0, 0] for _, labels in dataset.take(batches)]
    return np.concatenate(found).tolist()


def write_bad_folder(root, num=3, bad=1):
    for name in ("images", "labels"):
        (root / name).mkdir()
    for index in range(num):
        images.write_image(root / f"images/{index}.png", read_constant(index)["image"])
        images.write_mask(root / f"labels/{index}.png", read_constant(0)["label"])
    (root / f"images/{bad}.png").write_bytes(b"no picture")
    return folder(root, classes=("ground",))
