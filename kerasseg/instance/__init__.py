"""Instances as arrays (numpy): masks, run-length codes, polygons, label maps.

Modules load on first use, and none of them imports tensorflow or keras:

    >>> from kerasseg import instance
    >>> instance.masks.masks_to_boxes(np.ones([1, 2, 3], bool)).tolist()
    [[0.0, 0.0, 3.0, 2.0]]

Boxes are (x1, y1, x2, y2) in pixels with exclusive ends. The geometry of detectors on
tensors is in `kerasseg.detection`.
"""

from kerasseg.names import lazy

__all__ = [
    "instances",
    "masks",
    "panoptic",
    "polygons",
    "rle",
    "star_distances",
    "star_polygons",
]
__getattr__, __dir__ = lazy(__name__, dict.fromkeys(__all__))
