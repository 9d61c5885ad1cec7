"""kerasseg.json beside written models."""

import hashlib

import keras
import pytest
import tensorflow as tf

from kerasseg import export
from kerasseg.export import about


@pytest.fixture
def model():
    return keras.Sequential(
        [keras.Input((None, None, 3)), keras.layers.Conv2D(3, 1, name="logits")]
    )


def test_names_must_fit_the_model(model, tmp_path):
    with pytest.raises(ValueError, match="must be 3 names"):
        export.saved_model(model, tmp_path / "m", class_names=["a"])
    assert not list(tmp_path.iterdir())


def test_each_class_needs_a_colour(model):
    with pytest.raises(ValueError, match=r"must be \[3, 3\]\. Received: 2 rows"):
        about.describe(model, palette=[(0, 0, 0), (1, 2, 3)])
    colors = [(0, 0, 0), (1, 2, 3), (4, 5, 6), (7, 8, 9)]
    found = about.describe(model, palette=colors)["classes"]
    assert [one["color"] for one in found] == [[0, 0, 0], [1, 2, 3], [4, 5, 6]]
    assert [one["name"] for one in found] == ["0", "1", "2"]


def test_digests_are_of_every_file_below(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b/c").write_bytes(b"one")
    (tmp_path / "a").write_bytes(b"")
    found = about.digests(tmp_path)
    assert list(found) == ["a", "b/c"]
    assert found["b/c"] == hashlib.sha256(b"one").hexdigest()


def test_tensors_are_told_by_name_dtype_and_shape():
    spec = tf.TensorSpec([None, 4, 5, 3], tf.uint8)
    found = about.tensors({"images": spec}, {"b": spec, "a": tf.zeros([2])})
    images = {"dtype": "uint8", "shape": [None, 4, 5, 3]}
    assert found["inputs"] == {"images": images}
    assert found["outputs"] == {"a": {"dtype": "float32", "shape": [2]}, "b": images}
    assert list(found["outputs"]) == ["a", "b"]
