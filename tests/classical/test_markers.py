"""Watershed and random walker: regions around the same markers."""

import numpy as np
import pytest

from kerasseg import classical
from tests.classical.pictures import HALVES


@pytest.mark.parametrize("method", [classical.watershed, classical.random_walker])
def test_markers_share_the_picture_at_its_edge(method):
    markers = np.zeros([16, 20], int)
    markers[8, 1], markers[2, 17] = 7, 3  # numbers with gaps, in another order
    labels = method(HALVES, markers)
    np.testing.assert_array_equal(labels, HALVES == 0)


@pytest.mark.parametrize("method", [classical.watershed, classical.random_walker])
def test_bad_markers_are_refused(method):
    bad = [np.zeros([16, 20], int), np.ones([16, 19], int), -np.ones([16, 20], int)]
    for markers in bad:
        with pytest.raises(ValueError, match="`markers` must"):
            method(HALVES, markers)
