"""Pictures of objects, checked pixel by pixel where that can be."""

import numpy as np
import pytest

from kerasseg import viz
from kerasseg.instance.instances import Instances


def two(size=(40, 60)):
    masks = np.zeros([2, *size], bool)
    masks[0, 5:25, 5:25] = True
    masks[1, 10:35, 20:55] = True
    boxes = np.float32([[5, 5, 25, 25], [20, 10, 55, 35]])
    return Instances(boxes, np.int32([0, 1]), np.float32([0.9, 0.5]), masks)


def test_each_object_is_tinted_and_outlined_in_its_color():
    image = np.full([40, 60, 3], 100, "uint8")
    palette = np.uint8([[200, 0, 0], [0, 0, 200]])
    picture = viz.instances(image, two(), palette=palette, alpha=0.5, labels=False)
    assert picture.shape == image.shape
    assert picture[0, 0].tolist() == [100, 100, 100]
    assert picture[5, 10].tolist() == [200, 0, 0]  # outline
    assert picture[8, 8].tolist() == [150, 50, 50]  # half of each
    assert picture[30, 40].tolist() == [50, 50, 150]
    # The best is in front where they overlap: its outline covers the other.
    assert picture[20, 24].tolist() == [200, 0, 0]


def test_without_a_palette_neighbours_of_one_class_differ():
    found = two()
    same = Instances(found.boxes, np.int32([0, 0]), found.scores, found.masks)
    picture = viz.instances(np.zeros([40, 60, 3], "uint8"), same, labels=False)
    assert picture[5, 10].tolist() != picture[34, 50].tolist()


def test_labels_enlarge_a_small_picture_and_are_left_out_of_crowded_ones():
    image = np.zeros([40, 60, 3], "uint8")
    named = viz.instances(image, two(), class_names=["cell", "co$t$"])
    assert named.shape == (280, 420, 3)
    plain = viz.instances(image, two(), labels=False)
    assert (named != plain.repeat(7, 0).repeat(7, 1)).any()
    found = two()
    many = [np.concatenate([x] * 30) for x in vars(found).values()]
    assert viz.instances(image, Instances(*many)).shape == image.shape


def test_no_object_leaves_the_image():
    image = np.random.default_rng(0).integers(0, 255, [500, 400, 3]).astype("uint8")
    empty = Instances(
        np.zeros([0, 4]), np.zeros(0, int), np.zeros(0), np.zeros([0, 500, 400], bool)
    )
    np.testing.assert_array_equal(viz.instances(image, empty), image)


def test_wrong_sizes_and_missing_names_are_refused():
    with pytest.raises(ValueError, match="`masks` must have the size"):
        viz.instances(np.zeros([41, 60, 3], "uint8"), two())
    with pytest.raises(ValueError, match="`class_names` must name every class up to 1"):
        viz.instances(np.zeros([40, 60, 3], "uint8"), two(), class_names=["one"])


def test_a_gallery_shows_image_truth_and_found():
    row = {"name": "a", "score": 0.25, "image": np.zeros([40, 60, 3], "uint8")}
    row |= {"truth": two(), "found": two()}
    picture = viz.instance_gallery({"Worst": [row], "Best": []}, panel_px=120)
    assert picture.shape[1] >= 3 * 120 and picture.dtype == np.uint8
    with pytest.raises(ValueError, match="at least one row"):
        viz.instance_gallery({"Worst": []})


def test_each_object_of_a_map_has_a_color_of_its_own():
    ids = np.arange(300).reshape(15, 20)
    found = viz.color_objects(np.zeros([15, 20, 3], "uint8"), ids, alpha=1.0)
    assert (found[0, 0] == 0).all()
    colors = np.unique(found.reshape(-1, 3)[1:256], axis=0)
    assert len(colors) == 255  # the 255th, too, which is no ignored class
