"""Comparison of written models with the model, on pictures."""

import numpy as np
import tensorflow as tf

from kerasseg import export
from kerasseg.export import comparison


def test_fixed_sizes_are_met_by_resizing():
    spec = tf.TensorSpec([None, 32, 48, 3], tf.uint8)
    picture = np.full((100, 90, 3), 7, "uint8")
    found = comparison.fitted(picture, spec)
    assert found.shape == (32, 48, 3) and (found == 7).all()


def test_a_table_has_a_line_for_each_picture_and_one_for_all():
    row = {"name": "a", "size": [4, 5], "agreement": 0.5, "error": 0.1, "iou": None}
    row |= {"tensorflow_ms": 2.0, "runtime_ms": 1.0}
    result = {**comparison._all([row, row]), "pictures": [row, row], "runtime": "X"}
    lines = export.table(result).splitlines()
    assert lines[0].split()[-2:] == ["X", "ms"]
    assert lines[3].split() == ["all", "2", "50.00", "1.0e-01", "-", "2.0", "1.0"]
