"""Cropping to the size of another tensor."""

import numpy as np
import pytest

from kerasseg import layers


@pytest.mark.parametrize(("align", "expected"), [("center", 6), ("start", 0)])
def test_crop_keeps_the_middle_or_the_corner(align, expected):
    x = np.arange(25.0).reshape(1, 5, 5, 1)
    out = layers.CropLike(align)([x, np.zeros((1, 3, 2, 1))])
    assert out.shape == (1, 3, 2, 1)
    assert float(out[0, 0, 0, 0]) == expected


def test_another_alignment_is_refused():
    with pytest.raises(ValueError, match="Received: align='end'"):
        layers.CropLike("end")
