"""ResNet with activation first (V2), ImageNet weights of keras.applications."""

import functools

import keras

from kerasseg.encoders.applications import from_application
from kerasseg.encoders.traits import encoder

TAPS = {  # strides are in the last block of a stage, behind its first activation
    "c1": "conv1_conv",
    "c2": r"conv2_block\d+_preact_relu",
    "c3": r"conv3_block\d+_preact_relu",
    "c4": r"conv4_block\d+_preact_relu",
    "c5": "post_relu",
}
# Pixels become -1..1, as in keras.applications.resnet_v2.preprocess_input.
_resnet_v2 = functools.partial(from_application, TAPS, (127.5, 127.5))


@encoder(publisher="keras.applications")
def resnet50_v2(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """ResNet-50 V2 (23,564,800 parameters in all).

    Args:
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        weights: None, "imagenet" (the file of keras.applications, downloaded), a path.
        output_stride: 32, 16 or 8; see `kerasseg.encoders.atrous`.

    Returns:
        keras.Model: image -> {"c1": 64, "c2": 256, "c3": 512, "c4": 1024, "c5": 2048
        channels} at strides 2, 4, 8, 16, 32, none beyond `output_stride`.

    Reference: He et al., 2016, https://arxiv.org/abs/1603.05027
    """
    application = keras.applications.ResNet50V2
    return _resnet_v2("resnet50_v2", application, input_shape, weights, output_stride)


@encoder(publisher="keras.applications")
def resnet101_v2(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """ResNet-101 V2; arguments and taps as for `resnet50_v2`.

    Reference: He et al., 2016, https://arxiv.org/abs/1603.05027
    """
    application = keras.applications.ResNet101V2
    return _resnet_v2("resnet101_v2", application, input_shape, weights, output_stride)


@encoder(publisher="keras.applications")
def resnet152_v2(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """ResNet-152 V2; arguments and taps as for `resnet50_v2`.

    Reference: He et al., 2016, https://arxiv.org/abs/1603.05027
    """
    application = keras.applications.ResNet152V2
    return _resnet_v2("resnet152_v2", application, input_shape, weights, output_stride)
