import cv2
import numpy as np
import pytest

from kerasseg import datasets
from kerasseg.images import ImageError, write_image, write_mask


@pytest.fixture
def volume(tmp_path):
    """Twenty slices whose left half is membrane, which the files write as 0."""
    mask = np.full((4, 6), 255)
    mask[:, :3] = 0
    for number in range(20):
        image = np.full((4, 6), number, np.uint8)
        write_image(tmp_path / f"images/{number:02d}.png", image)
        write_mask(tmp_path / f"labels/{number:02d}.png", mask)
    return tmp_path


def test_black_in_the_file_is_membrane(volume):
    sample = datasets.isbi2012(volume, "train")[3]
    assert sample["image"].shape == (4, 6, 1)
    assert sample["image"].max() == 3
    assert sample["label"].tolist() == [[1, 1, 1, 0, 0, 0]] * 4


@pytest.mark.parametrize("split, first, last", [("train", 0, 15), ("val", 16, 19)])
def test_splits_are_ranges_of_slices(volume, split, first, last):
    samples = datasets.isbi2012(volume, split)
    assert samples.names == tuple(f"{n:02d}" for n in range(first, last + 1))
    assert samples.classes == ("interior", "membrane")
    assert len(datasets.isbi2012(volume, "all")) == 20


def test_missing_slices_are_named(volume):
    with pytest.raises(ImageError, match="slices 20 to 29"):
        datasets.isbi2012(volume, "test")


def test_an_unknown_split_is_refused(volume):
    with pytest.raises(ValueError, match="Did you mean 'train'"):
        datasets.isbi2012(volume, "trian")


def test_the_real_volume_has_membrane_where_files_are_black(data_root):
    root = data_root("isbi2012")
    sample = datasets.isbi2012(root, "val")[0]
    assert sample["image"].shape == (512, 512, 1)
    stored = cv2.imread(str(root / "labels/16.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(sample["label"] == 1, stored == 0)
