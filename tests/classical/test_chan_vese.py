"""Two phases of a disk."""

import numpy as np

from kerasseg import classical
from tests.classical.pictures import disks


def test_chan_vese_takes_the_bright_phase_as_one():
    mask = disks((30, 45, 16))
    for inside, outside in ((200, 40), (40, 200)):
        image = np.where(mask, inside, outside).astype("uint8")
        found = classical.chan_vese(image)
        assert ((found == 1) == (image == 200)).mean() > 0.99
