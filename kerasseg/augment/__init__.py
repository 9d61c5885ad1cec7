"""Augmentation: functions from a sample and a seed to a sample, on TensorFlow ops.

A *sample* is a dict of `image` [H, W, C] uint8, uint16 or float32 and `label` int32
[H, W], optionally `masks` bool [M, H, W] or `instances` int32 [L, H, W]. A *seed* is
an int32 tensor [2]; the same seed gives the same result. Everything here returns a
function (sample, seed) -> sample that runs eagerly and inside `tf.data`, moves image
and label by the same geometry and gives the image back in its own dtype:

    >>> import numpy as np
    >>> function = standard(size=(64, 64), scale=(0.5, 2.0))
    >>> image, label = np.zeros((48, 90, 3), np.uint8), np.zeros((48, 90), np.int32)
    >>> function({"image": image, "label": label}, seed=[0, 1])["image"].shape
    TensorShape([64, 64, 3])
"""

from kerasseg.augment.adapter import from_numpy
from kerasseg.augment.borders import border_weights
from kerasseg.augment.color import color
from kerasseg.augment.geometry import IGNORE_LABEL, geometry
from kerasseg.augment.mixing import copy_paste, cutmix, mixup, mosaic
from kerasseg.augment.presets import (
    aerial,
    compose,
    inspection,
    medical,
    microscopy,
    standard,
    street,
)
from kerasseg.augment.quality import quality

PRESETS = {
    function.__name__: function
    for function in (aerial, inspection, medical, microscopy, standard, street)
}
# The augmentations that recipes name, in [augment] or one after the other in
# [[augment]].
AUGMENTATIONS = {
    **PRESETS,
    **{x.__name__: x for x in (border_weights, color, geometry, quality)},
    **{x.__name__: x for x in (copy_paste, cutmix, mixup, mosaic)},
}

__all__ = [
    "AUGMENTATIONS",
    "IGNORE_LABEL",
    "PRESETS",
    "aerial",
    "border_weights",
    "color",
    "compose",
    "copy_paste",
    "cutmix",
    "from_numpy",
    "geometry",
    "inspection",
    "medical",
    "microscopy",
    "mixup",
    "mosaic",
    "quality",
    "standard",
    "street",
]
