"""Mask files of objects, in both layouts."""

import numpy as np
import pytest

from kerasseg import datasets
from kerasseg.images import ImageError, write_image, write_mask

IMAGE = np.zeros([3, 5, 3], "uint8")


def save(folder, name, pixels, write=write_mask):
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / f"{name}.png", pixels)


def test_a_map_of_ids_gives_an_instance_for_each_number(tmp_path):
    ids = np.array([[0, 300, 300, 0, 2]] * 3)
    save(tmp_path / "images", "x", IMAGE, write_image)
    save(tmp_path / "labels", "x", ids)
    samples = datasets.mask_folders(tmp_path, name="nucleus")
    sample = samples[0]
    assert samples.classes == ("background", "nucleus")
    assert sample["instances"][0, 0].tolist() == [0, 2, 2, 0, 1]
    assert sample["label"][0].tolist() == [0, 1, 1, 0, 1]
    assert sample["classes"].tolist() == [1, 1]


def test_an_image_full_of_objects_has_no_background(tmp_path):
    save(tmp_path / "images", "x", IMAGE, write_image)
    save(tmp_path / "labels", "x", np.array([[7, 7, 9, 9, 9]] * 3))
    sample = datasets.mask_folders(tmp_path)[0]
    assert sample["instances"][0, 0].tolist() == [1, 1, 2, 2, 2]


def test_a_file_an_object_may_overlap_or_be_empty(tmp_path):
    first = np.array([[1, 1, 1, 0, 0]] * 3)
    second = np.array([[0, 0, 1, 1, 0]] * 3)
    save(tmp_path / "one/images", "one", IMAGE, write_image)
    for name, mask in (("a", first * 255), ("b", 0 * first), ("c", second)):
        save(tmp_path / "one/masks", name, mask)
    samples = datasets.mask_folders(tmp_path)
    assert samples.names == ("one",)
    instances = samples[0]["instances"]
    assert instances[:, 0].tolist() == [[1, 1, 1, 0, 0], [0, 0, 2, 2, 0]]


def test_no_object_at_all_is_no_error(tmp_path):
    save(tmp_path / "images", "x", IMAGE, write_image)
    save(tmp_path / "labels", "x", np.zeros([3, 5], int))
    sample = datasets.mask_folders(tmp_path)[0]
    assert sample["classes"].shape == (0,) and not sample["instances"].any()


def test_a_mask_of_another_size_is_named(tmp_path):
    save(tmp_path / "one/images", "one", IMAGE, write_image)
    save(tmp_path / "one/masks", "a", np.ones([4, 5], int))
    with pytest.raises(ImageError, match=r"a\.png: required: a mask of 5 x 3"):
        datasets.mask_folders(tmp_path)[0]


def test_two_images_beside_masks_are_refused(tmp_path):
    for name in ("one", "two"):
        save(tmp_path / "one/images", name, IMAGE, write_image)
    save(tmp_path / "one/masks", "a", np.ones([3, 5], int))
    with pytest.raises(ImageError, match="one image beside the masks"):
        datasets.mask_folders(tmp_path)


def test_both_forms_of_the_nuclei_agree(data_root):
    root = data_root("dsb2018")
    maps = datasets.mask_folders(root, name="nucleus")
    coco = datasets.coco(root)
    for name in maps.names[::40]:
        one = maps[maps.names.index(name)]
        other = coco[coco.names.index(name)]
        np.testing.assert_array_equal(one["instances"] > 0, other["instances"] > 0)
        np.testing.assert_array_equal(one["label"], other["label"])
        assert len(one["classes"]) == len(other["classes"])
