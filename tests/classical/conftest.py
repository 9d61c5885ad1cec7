"""A noisy scene for tests of segmentation by colour."""

import numpy as np
import pytest

from tests.classical.pictures import disks


@pytest.fixture
def scene(rng):
    """A textured disk on a textured ground: image, and what is foreground."""
    mask = disks((30, 45, 16))
    noise = rng.normal(0, 12, [60, 90, 3])
    image = np.where(mask[..., None], [180, 90, 60], [70, 120, 90]) + noise
    return np.clip(image, 0, 255).astype("uint8"), mask
