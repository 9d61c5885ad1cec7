"""Attention between positions, against numpy."""

import numpy as np
import pytest

from kerasseg import layers


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


@pytest.mark.parametrize("heads", [1, 2])
def test_attention_weighs_values_by_a_softmax_over_keys(rng, heads):
    query, key, value = (
        rng.normal(size=shape).astype("float32")
        for shape in [(1, 3, 2, 4), (1, 5, 4), (1, 5, 6)]
    )
    parts = []
    for q, k, v in zip(*(np.split(x, heads, -1) for x in (query, key, value))):
        scores = q.reshape(6, -1) @ k[0].T / np.sqrt(4 / heads)
        parts.append(softmax(scores) @ v[0])
    expected = np.concatenate(parts, -1).reshape(1, 3, 2, 6)
    found = layers.DotAttention(heads)([query, key, value])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_joint_attention_has_one_softmax_for_all_pairs(rng):
    query, value = (rng.normal(size=(1, 2, 2, c)).astype("float32") for c in (3, 5))
    scores = query.reshape(4, 3) @ query.reshape(4, 3).T
    weights = softmax(scores.reshape(1, -1)).reshape(4, 4)
    expected = (weights @ value.reshape(4, 5)).reshape(1, 2, 2, 5)
    layer = layers.DotAttention(scale=1.0, joint=True)
    np.testing.assert_allclose(
        layer([query, query, value]), expected, rtol=1e-4, atol=1e-5
    )


def test_weights_over_positions_sum_to_one_even_of_a_single_position(rng):
    for positions in (1, 5):
        x = rng.normal(size=(2, positions, 3)).astype("float32")
        expected = np.exp(x) / np.exp(x).sum(1, keepdims=True)
        found = layers.PositionSoftmax()(x)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
