"""Names in TFRecord shards, for their reader and their writer. Private."""

import numpy as np

from kerasseg.images import read_image, read_mask

INDEX, VERSION = "shards.json", 1
# Names of DeepLab's data sets in TFRecords, as far as these go.
NAME, IMAGE = "image/filename", "image/encoded"
LABEL = "image/segmentation/class/encoded"
OBJECTS = "image/segmentation/instance/encoded"
CLASSES, CROWD = "image/object/class/label", "image/object/is_crowd"
LEFT_OUT = "image/object/left_out"  # how many had no pixel
BOXES, AREAS = "image/object/bbox", "image/object/area"  # as COCO's file says them
HEADER = 12  # bytes of a record before its data: the length, and a check sum


def decoded(lists, bands):
    """A sample of the lists of an Example.

    Args:
        lists: of bytes and ints by name.
        bands: of the image.
    """
    sample = {
        "image": read_image(lists[IMAGE][0], channels=bands),
        "label": read_mask(lists[LABEL][0]).astype("int32"),
    }
    if maps := lists.get(OBJECTS):
        sample["instances"] = np.stack([read_mask(x).astype("int32") for x in maps])
        sample["classes"] = np.array(lists.get(CLASSES, ()), "int32")
        sample["crowd"] = np.array(lists.get(CROWD, ()), bool)
    if AREAS in lists:
        sample["areas"] = np.array(lists[AREAS], "float32")
        sample["boxes"] = np.array(lists[BOXES], "float32").reshape(-1, 4)
    if LEFT_OUT in lists:
        sample["left_out"] = int(lists[LEFT_OUT][0])
    return sample
