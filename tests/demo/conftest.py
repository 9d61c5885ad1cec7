"""What tests of the page share."""

import numpy as np
import pytest


@pytest.fixture
def picture():
    """Two bright discs on dark ground."""
    image = np.full((48, 64, 3), 20, np.uint8)
    y, x = np.mgrid[:48, :64]
    for row, column in ((14, 14), (30, 46)):
        image[(y - row) ** 2 + (x - column) ** 2 < 81] = (220, 200, 40)
    return image
