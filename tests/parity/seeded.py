"""Random weights and images that PyTorch and Keras make alike, from numpy alone."""

import numpy as np


def weights(shapes, seed=0):
    """State dict of random arrays, batch statistics too.

    Args:
        shapes: dict of PyTorch name to shape.

    Returns:
        dict of name to float32 array, of a scale that neither dies nor explodes.
    """
    rng = np.random.default_rng(seed)
    return {name: _array(name, tuple(shape), rng) for name, shape in shapes.items()}


def _array(name, shape, rng):
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, "int64")
    if name.endswith("running_var") or (len(shape) == 1 and name.endswith("weight")):
        return rng.uniform(0.5, 1.5, shape).astype("float32")
    scale = 0.2 if len(shape) == 1 else np.sqrt(1.5 / np.prod(shape[1:]))
    return rng.normal(0, scale, shape).astype("float32")


def images(height, width, fade=1.0, seed=1):
    """Two noise images [2, H, W, 3], 0..255; the second is multiplied by `fade`."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (2, height, width, 3)).astype("float32")
    return noise * np.float32([1, fade]).reshape(2, 1, 1, 1)
