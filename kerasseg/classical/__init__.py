"""Segmentation without training: arrays in, int32 label maps [H, W] out.

Superpixels, region growing, marker-based and foreground segmentation on numpy, OpenCV,
SciPy and scikit-image. Nothing here imports tensorflow.

A picture is seen between its darkest and its brightest number: its forms as uint8,
uint16, int32 or float, of whatever scale and offset, give one result. Parameters in
CIELAB or in units of 0..255 count within that range; for a range of its own, such as
that of a whole series of pictures, give `images.scale(image, (black, white))`. Only
`region_growing` compares absolute numbers.

    >>> photo = np.kron([[0, 255], [255, 0]], np.ones([8, 8])).astype("uint8")
    >>> int(slic(photo, 4, sigma=0).max())
    3
"""

from kerasseg.classical.chan_vese import chan_vese
from kerasseg.classical.grabcut import grabcut
from kerasseg.classical.graph_based import felzenszwalb, quickshift
from kerasseg.classical.kmeans import kmeans
from kerasseg.classical.mean_shift import mean_shift
from kerasseg.classical.merging import merge_regions
from kerasseg.classical.pooling import pool_probabilities, snap_to_superpixels
from kerasseg.classical.random_walker import random_walker
from kerasseg.classical.region_growing import region_growing
from kerasseg.classical.regions import connected_regions, region_statistics
from kerasseg.classical.slic import slic, slico
from kerasseg.classical.threshold import threshold
from kerasseg.classical.watershed import compact_watershed, split_instances, watershed

__all__ = [
    "chan_vese",
    "compact_watershed",
    "connected_regions",
    "felzenszwalb",
    "grabcut",
    "kmeans",
    "mean_shift",
    "merge_regions",
    "pool_probabilities",
    "quickshift",
    "random_walker",
    "region_growing",
    "region_statistics",
    "slic",
    "slico",
    "snap_to_superpixels",
    "split_instances",
    "threshold",
    "watershed",
]
