"""MobileNetV2 with the ImageNet weights of keras.applications."""

import keras

from kerasseg.encoders.atrous import check_output_stride
from kerasseg.encoders.inverted_residual import inverted_residuals
from kerasseg.encoders.pretrained import load
from kerasseg.encoders.traits import encoder
from kerasseg.layers import Normalize

# (repeats, kernel size, stride, expansion, filters), table 2 of the paper
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (3, 3, 2, 6, 32),
    (4, 3, 2, 6, 64),
    (3, 3, 1, 6, 96),
    (3, 3, 2, 6, 160),
    (1, 3, 1, 6, 320),
)
# Layer names of keras.applications -> ours; its last 1x1 and classifier are not used.
KERAS_RULES = (
    (r"^Conv1/", "stem_conv/"),
    (r"^bn_Conv1/", "stem_norm/"),
    (r"^expanded_conv_(\w+)_BN/", r"block0_\1_norm/"),
    (r"^expanded_conv_(\w+)/", r"block0_\1_conv/"),
    (r"^block_(\d+)_(\w+)_BN/", r"block\1_\2_norm/"),
    (r"^block_(\d+)_(\w+)/", r"block\1_\2_conv/"),
    (r"^(Conv_1|predictions)", None),
)


@encoder(publisher="keras.applications")
def mobilenet_v2(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """MobileNetV2 without its last 1x1 convolution (1,843,264 parameters in all).

    Layer for layer that of keras.applications, whose outputs it reproduces at sizes
    divisible by 32; but every size may vary after building, names do not depend on
    what was built before, and batch normalisation is fused.

    Args:
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        weights: None, "imagenet" (the file of keras.applications, downloaded), a path.
        output_stride: 32, 16 or 8; see `kerasseg.encoders.atrous`.

    Returns:
        keras.Model: image -> {"c1": 16, "c2": 24, "c3": 32, "c4": 96, "c5": 320
        channels} at strides 2, 4, 8, 16, 32, none beyond `output_stride`.

    Reference: Sandler et al., 2018, https://arxiv.org/abs/1801.04381
    """
    check_output_stride(output_stride, "mobilenet_v2")
    image = keras.Input(input_shape, name="image")
    # -1..1, as in keras.applications.mobilenet_v2.preprocess_input.
    x = Normalize(mean=127.5, std=127.5, name="normalize")(image)
    taps = inverted_residuals(x, STAGES, output_stride=output_stride)
    model = keras.Model(image, taps, name="mobilenet_v2")
    if weights == "imagenet":
        source = keras.applications.MobileNetV2((224, 224, 3), include_top=False)
        weights = {v.path: v.numpy() for v in source.weights}
    return load(model, weights, rules=KERAS_RULES)
