"""DenseNet with the ImageNet weights of keras.applications, and torchvision's."""

import keras

from kerasseg.encoders.applications import from_application
from kerasseg.encoders.pretrained import KERAS, check_publisher
from kerasseg.encoders.resnet import MEAN, STD
from kerasseg.encoders.traits import encoder

TAPS = {  # a stage's features, normalised and activated, before the next transition
    "c1": "conv1_relu",
    "c2": "pool2_relu",
    "c3": "pool3_relu",
    "c4": "pool4_relu",
    "c5": "relu",
}
START = r"^(?:encoder\.)?features\."
# torchvision; its first files wrote "norm.1" for "norm1".
RULES = (
    (rf"{START}conv0\.", "conv1_conv."),
    (rf"{START}norm0\.", "conv1_bn."),
    *(
        (
            rf"{START}denseblock{stage}\.denselayer(\d+)\.{there}\.",
            rf"conv{stage + 1}_block\1_{here}.",
        )
        for stage in (1, 2, 3, 4)
        for there, here in (
            (r"norm\.?1", "0_bn"),
            (r"conv\.?1", "1_conv"),
            (r"norm\.?2", "1_bn"),
            (r"conv\.?2", "2_conv"),
        )
    ),
    *(
        (rf"{START}transition{stage}\.{there}\.", f"pool{stage + 1}_{here}.")
        for stage in (1, 2, 3)
        for there, here in (("norm", "bn"), ("conv", "conv"))
    ),
    (rf"{START}norm5\.", "bn."),
    (r"^classifier\.", None),
)
FACTS = {
    "publisher": KERAS,
    "rules": RULES,
    "as_published": {"smp": {"publisher": "torchvision"}},
}


@encoder(**FACTS)
def densenet121(
    input_shape=(None, None, 3), *, weights=None, output_stride=32, publisher=KERAS
):
    """DenseNet-121 (7,037,504 parameters in all).

    Args:
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        weights: None, "imagenet" (the file of keras.applications, downloaded), a path.
        output_stride: 32, 16 or 8; see `kerasseg.encoders.atrous`.
        publisher: "keras.applications", or "torchvision", which gives "c5" before its
            last ReLU; files of both load into either.

    Returns:
        keras.Model: image -> {"c1": 64, "c2": 256, "c3": 512, "c4": 1024, "c5": 1024
        channels} at strides 2, 4, 8, 16, 32, none beyond `output_stride`.

    Reference: Huang et al., 2017, https://arxiv.org/abs/1608.06993
    """
    options = (input_shape, weights, output_stride, publisher)
    return _densenet("densenet121", keras.applications.DenseNet121, *options)


@encoder(**FACTS)
def densenet169(
    input_shape=(None, None, 3), *, weights=None, output_stride=32, publisher=KERAS
):
    """DenseNet-169; arguments as for `densenet121`, `c5` has 1664 channels.

    Reference: Huang et al., 2017, https://arxiv.org/abs/1608.06993
    """
    options = (input_shape, weights, output_stride, publisher)
    return _densenet("densenet169", keras.applications.DenseNet169, *options)


@encoder(**FACTS)
def densenet201(
    input_shape=(None, None, 3), *, weights=None, output_stride=32, publisher=KERAS
):
    """DenseNet-201; arguments as for `densenet121`, `c5` has 1920 channels.

    Reference: Huang et al., 2017, https://arxiv.org/abs/1608.06993
    """
    options = (input_shape, weights, output_stride, publisher)
    return _densenet("densenet201", keras.applications.DenseNet201, *options)


def _densenet(name, application, input_shape, weights, output_stride, publisher):
    check_publisher(publisher, (KERAS, "torchvision"), weights)
    taps = TAPS if publisher == KERAS else {**TAPS, "c5": "bn"}
    options = (input_shape, weights, output_stride, RULES)
    # ImageNet's statistics, as in keras.applications.densenet.preprocess_input.
    return from_application(taps, (MEAN, STD), name, application, *options)
