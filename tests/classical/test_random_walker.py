"""Random walks to markers; those of every method are in test_markers."""

import numpy as np

from kerasseg import classical


def test_random_walker_on_an_even_image_goes_to_the_nearer_marker():
    markers = np.zeros([9, 10], int)
    markers[:, 0], markers[:, 9] = 1, 2
    labels = classical.random_walker(np.full([9, 10], 90, "uint8"), markers)
    np.testing.assert_array_equal(labels, np.indices([9, 10])[1] >= 5)
