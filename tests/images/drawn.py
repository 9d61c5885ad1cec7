"""Pictures that a person can check, and bands of noise."""

import numpy as np

# Four quadrants: red, green / blue, white.
QUADRANTS = np.zeros((4, 6, 3), np.uint8)
QUADRANTS[:2, :3, 0] = QUADRANTS[:2, 3:, 1] = QUADRANTS[2:, :3, 2] = 255
QUADRANTS[2:, 3:] = 255
IDS = np.array([[0, 1, 2], [3, 200, 255]], np.uint8)


def bands(dtype, num, rng):
    if dtype.startswith("f"):
        return rng.normal(size=[37, 53, num]).astype("float32").astype(dtype)
    return rng.integers(0, 200, [37, 53, num]).astype(dtype)
