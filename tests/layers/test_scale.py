"""A factor a channel."""

import keras
import numpy as np

from kerasseg.layers import ChannelScale


def test_each_channel_has_its_own_factor_and_the_configuration_survives():
    layer = ChannelScale(0.5)
    x = np.ones((1, 2, 2, 3), "float32")
    np.testing.assert_array_equal(layer(x), 0.5 * x)
    layer.factors.assign([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(layer(x)[0, 1, 1], [1, 2, 3])
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert again.initial == 0.5
