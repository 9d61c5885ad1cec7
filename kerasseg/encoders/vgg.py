"""VGG16: thirteen 3x3 convolutions, layer names of keras.applications.

Reference: Simonyan & Zisserman, 2015, https://arxiv.org/abs/1409.1556
"""

import keras
from keras import layers

from kerasseg import blocks
from kerasseg.encoders.atrous import check_output_stride
from kerasseg.encoders.pretrained import load
from kerasseg.layers import Normalize

MEAN = (123.68, 116.779, 103.939)


def vgg16(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """VGG16 without its classifier (14,714,688 parameters).

    Poolings keep the odd last row and column ("same"), so that nothing at the border
    is lost and decoders can crop to the image.

    Args:
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        weights: None, "imagenet" (the file of keras.applications, downloaded), a path.
        output_stride: 32 only: a pooling has no later kernel to dilate.

    Returns:
        keras.Model: image -> {"c0": 64, "c1": 128, "c2": 256, "c3": 512, "c4": 512
        channels before the poolings, "c5": 512 after the last}, strides 1 to 32.
    """
    check_output_stride(output_stride, "vgg16", choices=(32,))
    image = keras.Input(input_shape, name="image")
    x = Normalize(MEAN, 1.0, name="normalize")(image)
    taps = {}
    for block, (filters, depth) in enumerate(
        zip((64, 128, 256, 512, 512), (2, 2, 3, 3, 3)), 1
    ):
        for index in range(1, depth + 1):
            name = f"block{block}_conv{index}"
            x = blocks.conv(x, filters, name=name)
            x = layers.Activation("relu", name=f"{name}_relu")(x)
        taps[f"c{block - 1}"] = x
        x = layers.MaxPooling2D(2, padding="same", name=f"block{block}_pool")(x)
    model = keras.Model(image, {**taps, "c5": x}, name="vgg16")
    if weights == "imagenet":
        return _load_imagenet(model)
    return load(model, weights)


def _load_imagenet(model):
    """Copy the weights of keras.applications, whose first kernel expects BGR."""
    source = keras.applications.VGG16(include_top=False, weights="imagenet")
    arrays = {
        f"{layer.name}/{kind}": value
        for layer in source.layers
        for kind, value in zip(("kernel", "bias"), layer.get_weights())
    }
    first = "block1_conv1/kernel"
    arrays[first] = arrays[first][:, :, ::-1]
    return load(model, arrays)
