"""The geometry of instances: boxes, anchors, matching, suppression, masks.

Modules are addresses, and load on first use:

    >>> from kerasseg import instance
    >>> instance.masks.masks_to_boxes(np.ones([1, 2, 3], bool)).tolist()
    [[0.0, 0.0, 3.0, 2.0]]

`anchors`, `canvas`, `masks`, `rle`, `polygons`, `instances`, `pieces`,
`star_distances`, `star_polygons` and `panoptic` are numpy and import neither tensorflow
nor keras, so that readers of files can use them. The others are functions of tensors in
`keras.ops`, for every backend: shapes are static but for the batch, they compile under
XLA, and they compute in float32 under mixed precision too.

Boxes are (x1, y1, x2, y2) in pixels with exclusive ends: pixel i covers i to i + 1, its
centre lies at i + 0.5. Padded instances have class -1 and a box of zeros.
"""

import importlib

__all__ = [
    "anchors",
    "boxes",
    "canvas",
    "detections",
    "gather",
    "instances",
    "losses",
    "masks",
    "matching",
    "nms",
    "panoptic",
    "pasting",
    "pieces",
    "polygons",
    "rle",
    "roi_align",
    "star_distances",
    "star_polygons",
    "targets",
    "two_stage",
]


def __getattr__(name):
    if name not in __all__:
        raise AttributeError(f"module 'kerasseg.instance' has no attribute {name!r}")
    return importlib.import_module(f"kerasseg.instance.{name}")


def __dir__():
    return sorted([*globals(), *__all__])
