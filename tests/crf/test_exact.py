"""The exact kernel against its formula."""

import numpy as np
import pytest

from kerasseg.crf import exact_kernel


def test_the_exact_kernel_is_its_formula(rng):
    features = rng.normal(size=[50, 3])
    difference = features[:, None] - features[None]
    matrix = np.exp(-(difference**2).sum(-1) / 2)
    scale = matrix.sum(1) ** -0.5
    expected = np.diag(scale) @ matrix @ np.diag(scale)
    np.testing.assert_allclose(exact_kernel(features)(np.eye(50)), expected, atol=1e-6)


def test_the_exact_kernel_refuses_whole_images():
    with pytest.raises(ValueError, match="use gaussian_kernel"):
        exact_kernel(np.zeros([200, 200, 2]))
