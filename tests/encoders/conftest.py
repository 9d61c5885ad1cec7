"""Encoders whose batch statistics fit pictures, so that errors look their size."""

import keras
import numpy as np
import pytest


@pytest.fixture(scope="module")
def picture():
    """Function (height, width) -> image [1, H, W, 3] of noise, 0..255."""

    def make(height, width):
        shape = (1, height, width, 3)
        return np.random.default_rng(0).integers(0, 256, shape).astype("float32")

    return make


@pytest.fixture(scope="module")
def calibrate(picture):
    """Function from a model to itself: random gammas, betas, measured statistics.

    The picture has to be large: statistics of the last stage over a dozen positions
    would make differences in rounding grow from layer to layer.
    """

    def run(model):
        rng = np.random.default_rng(1)
        for layer in model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = 0.0
                layer.gamma.assign(rng.uniform(0.5, 1.5, layer.gamma.shape))
                layer.beta.assign(rng.normal(0, 0.2, layer.beta.shape))
        model(picture(129, 193), training=True)
        return model

    return run


@pytest.fixture(scope="module")
def relative_error():
    """Function (found, expected) -> largest difference over the largest value."""

    def measure(found, expected):
        found, expected = np.asarray(found), np.asarray(expected)
        assert found.shape == expected.shape
        return np.abs(found - expected).max() / np.abs(expected).max()

    return measure
