"""Values return to where the maxima were."""

import numpy as np

from kerasseg import layers


def test_unpooling_puts_values_back_to_the_first_maximum():
    source = np.array([[1, 9, 0], [2, 3, 0], [4, 4, 7]], "float32")
    x = np.array([[10, 20], [30, 40]], "float32")
    expected = [[0, 10, 20], [0, 0, 0], [30, 0, 40]]
    found = layers.Unpool()([x[None, :, :, None], source[None, :, :, None]])
    np.testing.assert_array_equal(found[0, :, :, 0], expected)
