"""The few true Keras layers: what functions of tensors cannot express."""

from kerasseg.layers.adaptive_pooling import AdaptiveAveragePooling
from kerasseg.layers.atrous import AtrousConv2D, AtrousDepthwiseConv2D
from kerasseg.layers.attention import DotAttention, PositionSoftmax, ReadChannelsFirst
from kerasseg.layers.crop import CropLike
from kerasseg.layers.least_size import LeastSize
from kerasseg.layers.normalization import (
    BatchNormalization,
    Normalize,
    synchronize,
)
from kerasseg.layers.pooling import AveragePooling2D, MaxPooling2D, PadSmall
from kerasseg.layers.resize import ResizeLike, ResizeTo
from kerasseg.layers.scale import ChannelScale
from kerasseg.layers.unpool import Unpool

__all__ = [
    "AdaptiveAveragePooling",
    "AtrousConv2D",
    "AtrousDepthwiseConv2D",
    "AveragePooling2D",
    "BatchNormalization",
    "ChannelScale",
    "CropLike",
    "DotAttention",
    "LeastSize",
    "MaxPooling2D",
    "Normalize",
    "PadSmall",
    "PositionSoftmax",
    "ReadChannelsFirst",
    "ResizeLike",
    "ResizeTo",
    "Unpool",
    "synchronize",
]
