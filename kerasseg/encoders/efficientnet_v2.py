"""EfficientNetV2 with the ImageNet weights of keras.applications."""

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
    "c5": "block[67].*",  # B0 to B3 have six stages, S to L seven
}
# keras.applications normalises B0 to B3 by ImageNet's statistics, S to L to -1..1.
_small = functools.partial(from_application, TAPS, (MEAN, STD))
_large = functools.partial(from_application, TAPS, (128.0, 128.0))


@encoder(publisher="keras.applications")
def efficientnet_v2_b0(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """EfficientNetV2-B0 up to the last block (5,668,432 parameters in all).

    Args:
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        weights: None, "imagenet" (the file of keras.applications, downloaded), a path.
        output_stride: 32, 16 or 8; see `kerasseg.encoders.atrous`.

    Returns:
        keras.Model: image -> {"c1": 16, "c2": 32, "c3": 48, "c4": 112, "c5": 192
        channels} at strides 2, 4, 8, 16, 32, none beyond `output_stride`.
        Squeeze-excite averages a larger map where the features are dense, which alone
        changes them a little.

    Reference: Tan & Le, 2021, https://arxiv.org/abs/2104.00298
    """
    application = keras.applications.EfficientNetV2B0
    return _small(
        "efficientnet_v2_b0", application, input_shape, weights, output_stride
    )


@encoder(publisher="keras.applications")
def efficientnet_v2_b1(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """EfficientNetV2-B1, see `efficientnet_v2_b0`; `c5` has 192 channels.

    Reference: Tan & Le, 2021, https://arxiv.org/abs/2104.00298
    """
    application = keras.applications.EfficientNetV2B1
    return _small(
        "efficientnet_v2_b1", application, input_shape, weights, output_stride
    )


@encoder(publisher="keras.applications")
def efficientnet_v2_b2(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """EfficientNetV2-B2, see `efficientnet_v2_b0`; `c5` has 208 channels.

    Reference: Tan & Le, 2021, https://arxiv.org/abs/2104.00298
    """
    application = keras.applications.EfficientNetV2B2
    return _small(
        "efficientnet_v2_b2", application, input_shape, weights, output_stride
    )


@encoder(publisher="keras.applications")
def efficientnet_v2_b3(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """EfficientNetV2-B3, see `efficientnet_v2_b0`; `c5` has 232 channels.

    Reference: Tan & Le, 2021, https://arxiv.org/abs/2104.00298
    """
    application = keras.applications.EfficientNetV2B3
    return _small(
        "efficientnet_v2_b3", application, input_shape, weights, output_stride
    )


@encoder(publisher="keras.applications")
def efficientnet_v2_s(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """EfficientNetV2-S, see `efficientnet_v2_b0`; `c5` has 256 channels.

    Reference: Tan & Le, 2021, https://arxiv.org/abs/2104.00298
    """
    application = keras.applications.EfficientNetV2S
    return _large("efficientnet_v2_s", application, input_shape, weights, output_stride)


@encoder(publisher="keras.applications")
def efficientnet_v2_m(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """EfficientNetV2-M, see `efficientnet_v2_b0`; `c5` has 512 channels.

    Reference: Tan & Le, 2021, https://arxiv.org/abs/2104.00298
    """
    application = keras.applications.EfficientNetV2M
    return _large("efficientnet_v2_m", application, input_shape, weights, output_stride)


@encoder(publisher="keras.applications")
def efficientnet_v2_l(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """EfficientNetV2-L, see `efficientnet_v2_b0`; `c5` has 640 channels.

    Reference: Tan & Le, 2021, https://arxiv.org/abs/2104.00298
    """
    application = keras.applications.EfficientNetV2L
    return _large("efficientnet_v2_l", application, input_shape, weights, output_stride)
