"""Rules that rename arrays of PyTorch."""

import keras
import numpy as np

from kerasseg import weights


def found(arrays, rules):
    return weights.from_torch(arrays, [keras.layers.Dense(1)], rules)


def test_input_channels_of_a_reference_are_brought_into_our_order():
    kernel = np.arange(6, dtype="float32").reshape(1, 6, 1, 1)
    rules = [(r"^join\.", weights.Reordered("mid_join.", (1, 2, 0)))]
    arrays = {"join.weight": kernel, "join.bias": np.zeros(1, "float32")}
    renamed = found(arrays, rules)
    np.testing.assert_array_equal(
        renamed["mid_join/kernel"].ravel(), [2, 3, 4, 5, 0, 1]
    )
    assert renamed["mid_join/bias"].shape == (1,)


def test_the_first_rule_that_matches_is_applied_once():
    rules = [(r"^a\.", "b."), (r"^b\.", "c."), (r"^d\.", None)]
    arrays = dict.fromkeys(("a.bias", "b.bias", "d.bias"), np.zeros(1))
    assert [*found(arrays, rules)] == ["b/bias", "c/bias"]


def test_a_matrix_of_two_is_divided():
    both = np.float32([[1, 2], [3, 4]])
    renamed = found({"kv.weight": both}, [(r"^kv\.", ("key.", "value."))])
    np.testing.assert_array_equal(renamed["key/kernel"], [[1], [2]])
    np.testing.assert_array_equal(renamed["value/kernel"], [[3], [4]])
