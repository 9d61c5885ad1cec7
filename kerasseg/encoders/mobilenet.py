"""MobileNet with the ImageNet weights of keras.applications."""

import keras

from kerasseg.encoders.applications import from_application
from kerasseg.encoders.traits import encoder

TAPS = {
    "c1": "conv_pw_1_relu",
    "c2": "conv_pw_3_relu",
    "c3": "conv_pw_5_relu",
    "c4": "conv_pw_11_relu",
    "c5": "conv_pw_13_relu",
}


@encoder(publisher="keras.applications")
def mobilenet(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """MobileNet of full width (3,228,864 parameters in all).

    Args:
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        weights: None, "imagenet" (the file of keras.applications, downloaded), a path.
        output_stride: 32, 16 or 8; see `kerasseg.encoders.atrous`.

    Returns:
        keras.Model: image -> {"c1": 64, "c2": 128, "c3": 256, "c4": 512, "c5": 1024
        channels} at strides 2, 4, 8, 16, 32, none beyond `output_stride`.

    Reference: Howard et al., 2017, https://arxiv.org/abs/1704.04861
    """
    return from_application(
        TAPS,
        # -1..1, as in keras.applications.mobilenet.preprocess_input
        (127.5, 127.5),
        "mobilenet",
        keras.applications.MobileNet,
        input_shape,
        weights,
        output_stride,
    )
