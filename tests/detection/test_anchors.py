"""Anchors against the numbers of detectron2's test of its anchor generator."""

import numpy as np
import pytest

from kerasseg.detection.anchors import anchors

# Scales 32 and 64, ratios 1/4, 1 and 4, two positions at stride 4, offset 0.
PUBLISHED = [
    [-32, -8, 32, 8],
    [-16, -16, 16, 16],
    [-8, -32, 8, 32],
    [-64, -16, 64, 16],
    [-32, -32, 32, 32],
    [-16, -64, 16, 64],
    [-28, -8, 36, 8],
    [-12, -16, 20, 16],
    [-4, -32, 12, 32],
    [-60, -16, 68, 16],
    [-28, -32, 36, 32],
    [-12, -64, 20, 64],
]


@pytest.mark.parametrize(("offset", "shift"), [(0, 0), (0.5, 2)])
def test_anchors_have_detectrons_values_and_order(offset, shift):
    found = anchors(
        [(1, 2)], [4], scales=[(32, 64)], ratios=(0.25, 1, 4), offset=offset
    )
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.array(PUBLISHED) + shift)


def test_order_is_level_row_column():
    found = anchors([(2, 3), (1, 1)], [8, 16], scales=[10, 20], ratios=[1])
    centres = (found[:, :2] + found[:, 2:]) / 2
    first = [[4, 4], [12, 4], [20, 4], [4, 12], [12, 12], [20, 12]]
    np.testing.assert_allclose(centres, [*first, [8, 8]])
    np.testing.assert_allclose(np.ptp(found[:, ::2], axis=1), [10] * 6 + [20])


def test_wrong_levels_are_refused():
    with pytest.raises(ValueError, match="Received: 1, 2 and 1"):
        anchors([(1, 2)], [4, 8], scales=[32])
    with pytest.raises(ValueError, match="must be positive"):
        anchors([(1, 2)], [4], scales=[0])
