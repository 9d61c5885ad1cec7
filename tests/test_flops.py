"""Counted by hand: 2 x output elements x products of each."""

import keras
import pytest
from keras import layers

from kerasseg import flops, zoo


@pytest.mark.parametrize(
    "layer, products",
    [
        (layers.Conv2D(8, 3, padding="same"), 16 * 16 * 8 * 9 * 4),
        (layers.Conv2D(8, 3, strides=2, padding="same"), 8 * 8 * 8 * 9 * 4),
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
    assert flops.gflops(model, 16, 16) == pytest.approx(2e-9 * products)


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
    model = zoo.unet(2, base_filters=4)
    assert flops.gflops(model, size, size) == pytest.approx(2e-9 * products)
