"""Labels and logits of several classes."""

import pytest


@pytest.fixture
def exclusive(rng):
    labels = rng.integers(0, 3, (4, 6, 5))
    labels[rng.random(labels.shape) < 0.2] = 255
    labels[3] = 255
    return labels, rng.normal(size=(4, 6, 5, 3)).astype("float32")
