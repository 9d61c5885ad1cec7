"""Instances: what was found in an image, as arrays, COCO entries and label maps."""

import json

import numpy as np
import pytest

from kerasseg.instance.instances import Instances
from kerasseg.instance.rle import decode_rle


def two():
    masks = np.zeros([2, 3, 4], bool)
    masks[0, :2, 1:3] = masks[1, 1:, 2:] = True
    return Instances(
        boxes=np.array([[1, 0, 3, 2], [2, 1, 4, 3]], "float32"),
        classes=np.array([0, 2], "int32"),
        scores=np.array([0.75, 0.5], "float32"),
        masks=masks,
    )


def test_the_better_instance_lies_in_front():
    expected = [[0, 1, 1, 0], [0, 1, 1, 2], [0, 0, 2, 2]]
    np.testing.assert_array_equal(two().to_label_map(), expected)


def test_coco_results_are_plain_json():
    results = json.loads(json.dumps(two().to_coco(7, category_ids=[1, 5, 90])))
    assert [r["category_id"] for r in results] == [1, 90]
    assert [r["image_id"] for r in results] == [7, 7]
    assert results[1]["bbox"] == [2, 1, 2, 2]
    assert results[0]["score"] == 0.75
    mask = decode_rle(results[0]["segmentation"], size=(3, 4))
    np.testing.assert_array_equal(mask, two().masks[0])
    assert two().to_coco(7)[1]["category_id"] == 3


def test_no_instance_gives_an_empty_map_and_no_results():
    none = Instances(np.zeros([0, 4]), np.zeros(0), np.zeros(0), np.zeros([0, 3, 4]))
    assert len(none) == 0
    assert none.to_coco(1) == []
    np.testing.assert_array_equal(none.to_label_map(), np.zeros([3, 4]))


def test_a_click_finds_what_covers_it_best_first():
    # 0 1 1 0 / 0 1 1 2 / 0 0 2 2, and the second covers (2, 1), too.
    found = two()
    assert found.at(1, 0).scores.tolist() == found.scores[:1].tolist()
    assert len(found.at(2, 1)) == int(found.masks[:, 1, 2].sum())
    assert len(found.at(0, 0)) == len(found.at(-1, 1)) == len(found.at(4, 0)) == 0


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="2 boxes, 1 classes"):
        Instances(two().boxes, [0], two().scores, two().masks)
