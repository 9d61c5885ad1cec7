"""Operations against figures worked out by hand, and those that torchvision gives."""

import keras
import pytest
from keras import layers

from kerasseg import zoo
from kerasseg.profiling.operations import gflops


@pytest.mark.parametrize(
    "layer, products",
    [
        (layers.Conv2D(8, 3, padding="same"), 16 * 16 * 8 * 9 * 4),
        (layers.Conv2D(8, 3, strides=2, padding="same"), 8 * 8 * 8 * 9 * 4),
        (layers.Conv2D(8, 3, groups=2, padding="same"), 16 * 16 * 8 * 9 * 2),
        (layers.Conv2D(8, 3, dilation_rate=2, padding="same"), 16 * 16 * 8 * 9 * 4),
        (layers.DepthwiseConv2D(3, padding="same"), 16 * 16 * 4 * 9),
        (layers.Conv2DTranspose(8, 2, strides=2), 16 * 16 * 4 * 4 * 8),
        (layers.Dense(8), 16 * 16 * 4 * 8),
        (layers.EinsumDense("nhwc,cd->nhwd", [16, 16, 8]), 16 * 16 * 4 * 8),
        (layers.ReLU(), 0),
    ],
)
def test_each_kind_of_layer_counts_as_worked_out(layer, products):
    model = keras.Sequential([keras.Input((16, 16, 4)), layer])
    assert gflops(model) == pytest.approx(2e-9 * products)


def test_unet_counts_as_worked_out():
    # Level by level: two 3x3 each way, and the 2x2 up-convolution, of which one tap
    # reaches each pixel of its result.
    size, filters, channels, products = 32, [4, 8, 16, 32, 64], 3, 0
    for level, width in enumerate(filters):
        pixels = (size >> level) ** 2
        products += pixels * 9 * (channels + width) * width
        if level < 4:
            products += pixels * (filters[level + 1] * width + 9 * 3 * width * width)
        channels = width
    products += size * size * filters[0] * 2  # the scores
    model = zoo.unet(2, base_filters=4, input_shape=(size, size, 3))
    assert gflops(model) == pytest.approx(2e-9 * products)


# Multiplications with an addition, in billions, at 520x520; 21 classes.
@pytest.mark.parametrize(
    ("name", "options", "published"),
    [
        ("lraspp", {}, 2.086),
        ("fcn", {"encoder": "resnet50", "aux": True}, 152.717),
        ("deeplab_v3", {"aux": True}, 178.722),
    ],
)
def test_gflops_are_twice_the_published_multiplications(name, options, published):
    model = zoo.BUILDERS[name](21, input_shape=(520, 520, 3), **options)
    assert gflops(model) / 2 == pytest.approx(published, rel=0.005)


def test_an_unknown_size_is_refused():
    model = keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(4, 3)])
    with pytest.raises(ValueError, match="fixed image size"):
        gflops(model)
