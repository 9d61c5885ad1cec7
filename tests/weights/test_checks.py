"""Numbers that no training may begin with."""

import numpy as np
import pytest

from kerasseg import weights
from kerasseg.weights import WeightsError


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_weights_that_are_not_finite_are_refused_by_key(tmp_path, value):
    np.savez(tmp_path / "a.npz", good=np.ones(2), bad=np.array([1, value]))
    with pytest.raises(WeightsError, match=r"NaN or Inf in 'bad'\."):
        weights.read(tmp_path / "a.npz")
    assert len(weights.read(tmp_path / "a.npz", finite=False)) == 2
