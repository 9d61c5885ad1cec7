import cv2
import numpy as np
import pytest

from kerasseg import datasets
from kerasseg.images import ImageError, write_image, write_mask


def test_the_twelfth_index_is_ignored(tmp_path):
    write_image(tmp_path / "train/images/a.jpg", np.zeros((3, 4, 3), np.uint8))
    write_mask(tmp_path / "train/labels/a.png", np.arange(12).reshape(3, 4))
    write_image(tmp_path / "val/images/b.jpg", np.zeros((3, 4, 3), np.uint8))
    write_mask(tmp_path / "val/labels/b.png", np.zeros((3, 4), "uint8"))
    label = datasets.camvid(tmp_path)[0]["label"]
    assert label.ravel().tolist() == [*range(11), 255]


def test_an_index_beyond_the_classes_is_refused(tmp_path):
    write_image(tmp_path / "val/images/a.jpg", np.zeros((1, 2, 3), np.uint8))
    write_mask(tmp_path / "val/labels/a.png", np.array([[0, 12]]))
    with pytest.raises(ImageError, match=r"12 \(1 pixels\)"):
        datasets.camvid(tmp_path, "val")[0]


def test_an_unknown_split_is_refused(tmp_path):
    with pytest.raises(ValueError, match="Known: test, train, val"):
        datasets.camvid(tmp_path, "all")


def test_the_real_splits_have_their_published_sizes(data_root):
    root = data_root("camvid")
    train, val = datasets.camvid(root, "train"), datasets.camvid(root, "val")
    assert (len(train), len(val)) == (367, 101)
    assert train.names == tuple(sorted((root / "train.txt").read_text().split()))
    assert len(train.classes) == len(train.colors) == 11


def test_real_labels_are_the_files_with_11_as_255(data_root):
    samples = datasets.camvid(data_root("camvid"), "val")
    stored = cv2.imread(str(samples.files[5][1]), cv2.IMREAD_UNCHANGED).astype(int)
    expected = np.where(stored == 11, 255, stored)
    np.testing.assert_array_equal(samples[5]["label"], expected)
    assert samples[5]["image"].shape == (360, 480, 3)
