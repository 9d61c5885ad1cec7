"""Legends: columns, and names for all classes."""

import pytest

from kerasseg import viz


def test_legend_adds_columns_when_it_may_not_be_high():
    names = [f"class {i}" for i in range(12)]
    tall, wide = viz.legend(names), viz.legend(names, height_px=100)
    assert wide.shape[0] <= 100 < tall.shape[0] and wide.shape[1] > 2 * tall.shape[1]


def test_legend_refuses_a_class_without_a_name():
    with pytest.raises(ValueError, match="Received: 2 names"):
        viz.legend(["a", "b"], class_ids=[1, 3])
