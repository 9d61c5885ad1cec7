"""k-means on pictures of few colours."""

import numpy as np

from kerasseg import classical


def test_kmeans_finds_the_colors_of_a_picture():
    image = np.kron([[10, 90], [170, 250]], np.ones([9, 9])).astype("uint8")
    clusters = classical.kmeans(image, 4, sigma=0.0, connected=False)
    np.testing.assert_array_equal(clusters, (image.astype(int) - 10) // 80)
    checks = np.kron(np.indices([4, 4]).sum(0) % 2, np.ones([9, 9])).astype("uint8")
    assert classical.kmeans(checks * 255, 2, sigma=0.0).max() == 15
    both = classical.kmeans(checks * 255, 2, sigma=0.0, connected=False)
    np.testing.assert_array_equal(both, checks)


def test_kmeans_with_position_makes_compact_regions():
    labels = classical.kmeans(np.zeros([40, 60], "uint8"), 6, position_weight=100.0)
    assert labels.max() == 5
    assert np.bincount(labels.ravel()).min() > 200
