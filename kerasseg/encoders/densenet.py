"""DenseNet with the ImageNet weights of keras.applications."""

import functools

import keras

from kerasseg.encoders.applications import from_application
from kerasseg.encoders.resnet import MEAN, STD
from kerasseg.encoders.traits import encoder

TAPS = {  # a stage's features, normalised and activated, before the next transition
    "c1": "conv1_relu",
    "c2": "pool2_relu",
    "c3": "pool3_relu",
    "c4": "pool4_relu",
    "c5": "relu",
}
# ImageNet's statistics, as in keras.applications.densenet.preprocess_input.
_densenet = functools.partial(from_application, TAPS, (MEAN, STD))


@encoder(publisher="keras.applications")
def densenet121(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """DenseNet-121 (7,037,504 parameters in all).

    Args:
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        weights: None, "imagenet" (the file of keras.applications, downloaded), a path.
        output_stride: 32, 16 or 8; see `kerasseg.encoders.atrous`.

    Returns:
        keras.Model: image -> {"c1": 64, "c2": 256, "c3": 512, "c4": 1024, "c5": 1024
        channels} at strides 2, 4, 8, 16, 32, none beyond `output_stride`.

    Reference: Huang et al., 2017, https://arxiv.org/abs/1608.06993
    """
    application = keras.applications.DenseNet121
    return _densenet("densenet121", application, input_shape, weights, output_stride)


@encoder(publisher="keras.applications")
def densenet169(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """DenseNet-169; arguments as for `densenet121`, `c5` has 1664 channels.

    Reference: Huang et al., 2017, https://arxiv.org/abs/1608.06993
    """
    application = keras.applications.DenseNet169
    return _densenet("densenet169", application, input_shape, weights, output_stride)


@encoder(publisher="keras.applications")
def densenet201(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """DenseNet-201; arguments as for `densenet121`, `c5` has 1920 channels.

    Reference: Huang et al., 2017, https://arxiv.org/abs/1608.06993
    """
    application = keras.applications.DenseNet201
    return _densenet("densenet201", application, input_shape, weights, output_stride)
