"""The few true Keras layers: what functions of tensors cannot express."""

from kerasseg.layers.crop import CropLike
from kerasseg.layers.normalization import (
    BatchNormalization,
    Normalize,
    synchronize,
)
from kerasseg.layers.resize import ResizeLike

__all__ = ["BatchNormalization", "CropLike", "Normalize", "ResizeLike", "synchronize"]
