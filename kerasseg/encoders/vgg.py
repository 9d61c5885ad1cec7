"""VGG16 and VGG19: 3x3 convolutions, layer names of keras.applications."""

import os

import keras
from keras import layers

from kerasseg import blocks
from kerasseg.encoders import resnet
from kerasseg.encoders.atrous import check_output_stride
from kerasseg.encoders.pretrained import load
from kerasseg.encoders.traits import encoder
from kerasseg.layers import Normalize
from kerasseg.weights.files import layer_names

MEAN = (123.68, 116.779, 103.939)  # Caffe's, in RGB order; not divided by anything
DEPTHS, FILTERS = (2, 2, 3, 3, 3), (64, 128, 256, 512, 512)
DEPTHS_19 = (2, 2, 4, 4, 4)
# torchvision's vgg16_bn numbers convolution, normalisation, ReLU and pooling through.
RULES = (
    *(
        (
            rf"^features\.{3 * index + block + part}\.",
            f"block{block + 1}_conv{row}{kind}",
        )
        for block, depth in enumerate(DEPTHS)
        for row, index in enumerate(
            range(sum(DEPTHS[:block]), sum(DEPTHS[: block + 1])), 1
        )
        for part, kind in enumerate((".", "_norm."))
    ),
    (r"^classifier\.", None),
)
# The classifier in the files of keras.applications.
KERAS_RULES = ((r"^(fc1|fc2|predictions)/", None),)


def load_file(model, source):
    """Load a file, that of keras.applications too, whose first kernel is BGR's.

    Its names are ours; but it has no layer that normalises, as our files do.
    """
    load(model, source, rules=KERAS_RULES)
    is_path = isinstance(source, (str, os.PathLike))
    has_layers = is_path and os.fspath(source).lower().endswith(".h5")
    if has_layers and "normalize" not in layer_names(source):
        turn_channels(model)
    return model


def turn_channels(model):
    """Turn the image channels of the first kernel, and return the model."""
    kernel = model.get_layer("block1_conv1").kernel
    kernel.assign(kernel[:, :, ::-1])
    return model


@encoder(
    publisher="keras.applications",
    convolutional_fc=True,
    dense=False,
    load=load_file,
)
def vgg16(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """VGG16 without its classifier (14,714,688 parameters).

    Poolings keep the odd last row and column ("same"), so that nothing at the border
    is lost and decoders can crop to the image.

    Args:
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        weights: None, "imagenet" (the file of keras.applications, downloaded), a path.
        output_stride: 32, or 8: the form of DeepLab-LargeFOV, whose poolings are all
            3x3, the last two without stride, and whose block 5 is dilated. Subsampled,
            its features are not those at 32: a 2x2 pooling cannot be dilated.

    Returns:
        keras.Model: image -> {"c0": 64, "c1": 128, "c2": 256, "c3": 512, "c4": 512
        channels before the poolings, "c5": 512 after the last}, strides 1 to 32.

    Reference: Simonyan & Zisserman, 2015, https://arxiv.org/abs/1409.1556
    """
    check_output_stride(output_stride, "vgg16", choices=(8, 32))
    model = _vgg("vgg16", DEPTHS, input_shape, (MEAN, 1.0), None, output_stride)
    return _load(model, weights, keras.applications.VGG16)


@encoder(publisher="keras.applications", load=load_file)
def vgg19(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """VGG19 without its classifier (20,024,384 parameters); otherwise as `vgg16`.

    Reference: Simonyan & Zisserman, 2015, https://arxiv.org/abs/1409.1556
    """
    check_output_stride(output_stride, "vgg19", choices=(8, 32))
    model = _vgg("vgg19", DEPTHS_19, input_shape, (MEAN, 1.0), None, output_stride)
    return _load(model, weights, keras.applications.VGG19)


@encoder(publisher="torchvision", rules=RULES)
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
    check_output_stride(output_stride, "vgg16_bn", choices=(8, 32))
    scale = (resnet.MEAN, resnet.STD)
    model = _vgg("vgg16_bn", DEPTHS, input_shape, scale, "batch", output_stride)
    return load(model, weights, rules=RULES)


def _vgg(name, depths, input_shape, scale, norm, output_stride):
    image = keras.Input(input_shape, name="image")
    x = Normalize(*scale, name="normalize")(image)
    dense = output_stride == 8
    taps = {}
    for block, (filters, depth) in enumerate(zip(FILTERS, depths), 1):
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


def _load(model, weights, application):
    """Load; "imagenet" is the file of keras.applications."""
    if isinstance(weights, str) and weights == "imagenet":
        source = application(include_top=False, weights="imagenet")
        weights = {
            f"{layer.name}/{kind}": value
            for layer in source.layers
            for kind, value in zip(("kernel", "bias"), layer.get_weights())
        }
        return turn_channels(load(model, weights))
    return load_file(model, weights)
