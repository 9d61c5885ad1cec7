"""Statistics of regions, by hand."""

import numpy as np

from kerasseg import classical


def test_statistics_of_two_regions():
    labels = np.array([[0, 0, -1], [0, 2, 2]])
    image = np.array([[1, 3, 99], [2, 5, 9]], "uint8")
    found = classical.region_statistics(labels, image)
    assert found["size"].tolist() == [3, 0, 2]
    assert found["box"].tolist() == [[0, 0, 2, 2], [0, 0, 0, 0], [1, 1, 3, 2]]
    assert found["mean"].tolist() == [[2], [0], [7]]
    np.testing.assert_allclose(found["std"], [[np.std([1, 3, 2])], [0], [2]])
    np.testing.assert_allclose(found["centroid"][0], [1 / 3, 1 / 3])
