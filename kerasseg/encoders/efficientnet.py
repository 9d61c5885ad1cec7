"""EfficientNet with the ImageNet weights of keras.applications."""

import functools

import keras

from kerasseg.encoders.applications import from_application
from kerasseg.encoders.resnet import MEAN, STD
from kerasseg.encoders.traits import encoder

# The last layer of the stages before each stride; the 1x1 behind them is not used.
TAPS = {
    "c1": "block1.*",
    "c2": "block2.*",
    "c3": "block3.*",
    "c4": "block5.*",
    "c5": "block7.*",
}
_efficientnet = functools.partial(from_application, TAPS, (MEAN, STD))


@encoder(publisher="keras.applications")
def efficientnet_b0(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """EfficientNet-B0 up to the last projection (3,634,844 parameters in all).

    Args:
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        weights: None, "imagenet" (the file of keras.applications, downloaded), a path.
        output_stride: 32, 16 or 8; see `kerasseg.encoders.atrous`.

    Returns:
        keras.Model: image -> {"c1": 16, "c2": 24, "c3": 40, "c4": 112, "c5": 320
        channels} at strides 2, 4, 8, 16, 32, none beyond `output_stride`.
        Squeeze-excite averages a larger map where the features are dense, which alone
        changes them a little.

    Reference: Tan & Le, 2019, https://arxiv.org/abs/1905.11946
    """
    application = keras.applications.EfficientNetB0
    return _efficientnet(
        "efficientnet_b0", application, input_shape, weights, output_stride
    )


@encoder(publisher="keras.applications")
def efficientnet_b1(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """EfficientNet-B1, see `efficientnet_b0`; `c1`..`c5` have 16 to 320 channels.

    Reference: Tan & Le, 2019, https://arxiv.org/abs/1905.11946
    """
    application = keras.applications.EfficientNetB1
    return _efficientnet(
        "efficientnet_b1", application, input_shape, weights, output_stride
    )


@encoder(publisher="keras.applications")
def efficientnet_b2(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """EfficientNet-B2, see `efficientnet_b0`; `c1`..`c5` have 16 to 352 channels.

    Reference: Tan & Le, 2019, https://arxiv.org/abs/1905.11946
    """
    application = keras.applications.EfficientNetB2
    return _efficientnet(
        "efficientnet_b2", application, input_shape, weights, output_stride
    )


@encoder(publisher="keras.applications")
def efficientnet_b3(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """EfficientNet-B3, see `efficientnet_b0`; `c1`..`c5` have 24 to 384 channels.

    Reference: Tan & Le, 2019, https://arxiv.org/abs/1905.11946
    """
    application = keras.applications.EfficientNetB3
    return _efficientnet(
        "efficientnet_b3", application, input_shape, weights, output_stride
    )


@encoder(publisher="keras.applications")
def efficientnet_b4(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """EfficientNet-B4, see `efficientnet_b0`; `c1`..`c5` have 24 to 448 channels.

    Reference: Tan & Le, 2019, https://arxiv.org/abs/1905.11946
    """
    application = keras.applications.EfficientNetB4
    return _efficientnet(
        "efficientnet_b4", application, input_shape, weights, output_stride
    )


@encoder(publisher="keras.applications")
def efficientnet_b5(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """EfficientNet-B5, see `efficientnet_b0`; `c1`..`c5` have 24 to 512 channels.

    Reference: Tan & Le, 2019, https://arxiv.org/abs/1905.11946
    """
    application = keras.applications.EfficientNetB5
    return _efficientnet(
        "efficientnet_b5", application, input_shape, weights, output_stride
    )


@encoder(publisher="keras.applications")
def efficientnet_b6(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """EfficientNet-B6, see `efficientnet_b0`; `c1`..`c5` have 32 to 576 channels.

    Reference: Tan & Le, 2019, https://arxiv.org/abs/1905.11946
    """
    application = keras.applications.EfficientNetB6
    return _efficientnet(
        "efficientnet_b6", application, input_shape, weights, output_stride
    )


@encoder(publisher="keras.applications")
def efficientnet_b7(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """EfficientNet-B7, see `efficientnet_b0`; `c1`..`c5` have 32 to 640 channels.

    Reference: Tan & Le, 2019, https://arxiv.org/abs/1905.11946
    """
    application = keras.applications.EfficientNetB7
    return _efficientnet(
        "efficientnet_b7", application, input_shape, weights, output_stride
    )
