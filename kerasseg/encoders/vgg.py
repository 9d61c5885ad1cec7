"""VGG: 3x3 convolutions, layer names of keras.applications."""

import os

import keras
from keras import layers

from kerasseg import blocks
from kerasseg.encoders import resnet
from kerasseg.encoders.atrous import check_output_stride
from kerasseg.encoders.pretrained import (
    KERAS,
    check_publisher,
    is_of_keras,
    load,
    load_of_publisher,
    publisher_of,
)
from kerasseg.encoders.traits import encoder
from kerasseg.layers import Normalize

MEAN = (123.68, 116.779, 103.939)  # Caffe's, in RGB order; not divided by anything
FILTERS = (64, 128, 256, 512, 512)
DEPTHS = {  # convolutions of each block
    "vgg11_bn": (1, 1, 2, 2, 2),
    "vgg13_bn": (2, 2, 2, 2, 2),
    "vgg16_bn": (2, 2, 3, 3, 3),
    "vgg19_bn": (2, 2, 4, 4, 4),
    "vgg16": (2, 2, 3, 3, 3),
    "vgg19": (2, 2, 4, 4, 4),
}


def _rules(name):
    """Names in torchvision's files, which number all layers through."""
    rules, index, parts = [(r"^classifier\.", None)], 0, 2
    kinds = {0: ""}
    if name.endswith("_bn"):  # convolution, normalisation, ReLU
        kinds, parts = {0: "", 1: "_norm"}, 3
    for block, depth in enumerate(DEPTHS[name], 1):
        for row in range(1, depth + 1):
            for part, kind in kinds.items():
                there = rf"^(?:encoder\.)?features\.{index + part}\."
                rules.append((there, f"block{block}_conv{row}{kind}."))
            index += parts
        index += 1  # pooling
    return tuple(rules)


# The classifier in the files of keras.applications.
KERAS_RULES = ((r"^(fc1|fc2|predictions)/", None),)


AS_PUBLISHED = {"smp": {"publisher": "torchvision"}}
PUBLISHERS = {KERAS: (MEAN, 1.0), "torchvision": (resnet.MEAN, resnet.STD)}


def load_file(model, source):
    """Load a file of the publisher whose network the model is."""
    return _load_file(model, source, publisher_of(model))


def _load_file(model, source, publisher):
    rules = {KERAS: KERAS_RULES, "torchvision": _rules(model.name)}
    load_of_publisher(model, source, rules, publisher)
    is_path = isinstance(source, (str, os.PathLike))
    if publisher == KERAS and is_path and is_of_keras(source):
        turn_channels(model)  # its first kernel is BGR's
    return model


def turn_channels(model):
    """Turn the image channels of the first kernel, and return the model."""
    kernel = model.get_layer("block1_conv1").kernel
    kernel.assign(kernel[:, :, ::-1])
    return model


@encoder(
    publisher=KERAS,
    rules=_rules("vgg16"),
    convolutional_fc=True,
    dense=False,
    load=load_file,
    as_published=AS_PUBLISHED,
)
def vgg16(
    input_shape=(None, None, 3), *, weights=None, output_stride=32, publisher=KERAS
):
    """VGG16 without its classifier (14,714,688 parameters).

    Poolings keep the odd last row and column ("same"), so that nothing at the border
    is lost and decoders can crop to the image.

    Args:
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        weights: None, "imagenet" (the file of keras.applications, downloaded), a path.
        output_stride: 32, or 8: the form of DeepLab-LargeFOV, whose poolings are all
            3x3, the last two without stride, and whose block 5 is dilated. Subsampled,
            its features are not those at 32: a 2x2 pooling cannot be dilated.
        publisher: "keras.applications" (Caffe's weights, minus a mean) or "torchvision"
            (also divided by ImageNet's deviation).

    Returns:
        keras.Model: image -> {"c0": 64, "c1": 128, "c2": 256, "c3": 512, "c4": 512
        channels before the poolings, "c5": 512 after the last}, strides 1 to 32.

    Reference: Simonyan & Zisserman, 2015, https://arxiv.org/abs/1409.1556
    """
    check_publisher(publisher, PUBLISHERS, weights)
    model = _vgg("vgg16", input_shape, PUBLISHERS[publisher], None, output_stride)
    return _load(model, weights, keras.applications.VGG16, publisher)


@encoder(
    publisher=KERAS,
    rules=_rules("vgg19"),
    load=load_file,
    as_published=AS_PUBLISHED,
)
def vgg19(
    input_shape=(None, None, 3), *, weights=None, output_stride=32, publisher=KERAS
):
    """VGG19 without its classifier (20,024,384 parameters); otherwise as `vgg16`.

    Reference: Simonyan & Zisserman, 2015, https://arxiv.org/abs/1409.1556
    """
    check_publisher(publisher, PUBLISHERS, weights)
    model = _vgg("vgg19", input_shape, PUBLISHERS[publisher], None, output_stride)
    return _load(model, weights, keras.applications.VGG19, publisher)


@encoder(publisher="torchvision", rules=_rules("vgg16_bn"))
def vgg16_bn(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """VGG16 with batch normalisation behind each convolution, torchvision's.

    Args:
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        weights: None, "imagenet" (torchvision's file, downloaded) or a path.
        output_stride: 32, or 8; see `vgg16`.

    Returns:
        keras.Model: image -> taps of `vgg16`.

    Reference: Simonyan & Zisserman, 2015, https://arxiv.org/abs/1409.1556
    """
    return _vgg_bn("vgg16_bn", input_shape, weights, output_stride)


@encoder(publisher="torchvision", rules=_rules("vgg11_bn"))
def vgg11_bn(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """VGG11 with batch normalisation; otherwise as `vgg16_bn`.

    Reference: Simonyan & Zisserman, 2015, https://arxiv.org/abs/1409.1556
    """
    return _vgg_bn("vgg11_bn", input_shape, weights, output_stride)


@encoder(publisher="torchvision", rules=_rules("vgg13_bn"))
def vgg13_bn(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """VGG13 with batch normalisation; otherwise as `vgg16_bn`.

    Reference: Simonyan & Zisserman, 2015, https://arxiv.org/abs/1409.1556
    """
    return _vgg_bn("vgg13_bn", input_shape, weights, output_stride)


@encoder(publisher="torchvision", rules=_rules("vgg19_bn"))
def vgg19_bn(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """VGG19 with batch normalisation; otherwise as `vgg16_bn`.

    Reference: Simonyan & Zisserman, 2015, https://arxiv.org/abs/1409.1556
    """
    return _vgg_bn("vgg19_bn", input_shape, weights, output_stride)


def _vgg_bn(name, input_shape, weights, output_stride):
    scale = (resnet.MEAN, resnet.STD)
    model = _vgg(name, input_shape, scale, "batch", output_stride)
    return load(model, weights, rules=_rules(name))


def _vgg(name, input_shape, scale, norm, output_stride):
    check_output_stride(output_stride, name, choices=(8, 32))
    image = keras.Input(input_shape, name="image")
    x = Normalize(*scale, name="normalize")(image)
    dense = output_stride == 8
    taps = {}
    for block, (filters, depth) in enumerate(zip(FILTERS, DEPTHS[name]), 1):
        # DeepLab-LargeFOV: the last two poolings keep the size, so block 5 is dilated
        # once.
        dilation = 2 if dense and block == 5 else 1
        for index in range(1, depth + 1):
            layer = f"block{block}_conv{index}"
            x = blocks.conv(x, filters, dilation=dilation, name=layer)
            x = blocks.normalize(x, norm, name=f"{layer}_norm")
            x = layers.Activation("relu", name=f"{layer}_relu")(x)
        taps[f"c{block - 1}"] = x
        # 3x3 in all blocks, as DeepLab's: at stride 1 a 2x2 would shift the map by half
        # a pixel.
        x = _pool(x, dense, 1 if dense and block > 3 else 2, f"block{block}_pool")
    return keras.Model(image, {**taps, "c5": x}, name=name)


def _pool(x, wide, strides, name):
    if not wide:
        return layers.MaxPooling2D(2, strides, "same", name=name)(x)
    x = layers.ZeroPadding2D(1, name=f"{name}_pad")(x)  # after ReLU, 0 is the least
    return layers.MaxPooling2D(3, strides, name=name)(x)


def _load(model, weights, application, publisher):
    """Load; "imagenet" is the file of keras.applications."""
    if isinstance(weights, str) and weights == "imagenet":
        source = application(include_top=False, weights="imagenet")
        weights = {
            f"{layer.name}/{kind}": value
            for layer in source.layers
            for kind, value in zip(("kernel", "bias"), layer.get_weights())
        }
        return turn_channels(load(model, weights))
    return _load_file(model, weights, publisher)
