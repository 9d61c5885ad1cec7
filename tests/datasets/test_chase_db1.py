import numpy as np
import pytest

from kerasseg import datasets, metrics
from kerasseg.images import ImageError, write_image, write_mask


@pytest.fixture
def eyes(tmp_path):
    """Both eyes of children 1, 9 and 10; the second observer sees one column more."""
    for child in (1, 9, 10):
        for side in "LR":
            name = f"Image_{child:02d}{side}"
            write_image(tmp_path / f"{name}.jpg", np.full([8, 9, 3], child, "uint8"))
            for observer, width in (("1st", 3), ("2nd", 4)):
                mask = np.zeros([8, 9], "uint8")
                mask[:, :width] = 255
                write_mask(tmp_path / f"{name}_{observer}HO.png", mask)
    return tmp_path


def test_both_eyes_of_a_child_are_on_one_side(eyes):
    assert datasets.chase_db1(eyes).names == ("Image_01L", "Image_01R")
    val = datasets.chase_db1(eyes, "val")
    assert val.names == ("Image_09L", "Image_09R", "Image_10L", "Image_10R")
    assert len(datasets.chase_db1(eyes, "all")) == 6


@pytest.mark.parametrize("observer, width", [(1, 3), (2, 4)])
def test_each_observer_has_masks(eyes, observer, width):
    sample = datasets.chase_db1(eyes, observer=observer)[0]
    assert sample["label"].dtype == "int32" and sample["image"].shape == (8, 9, 3)
    assert sample["label"].sum() == 8 * width and sample["label"].max() == 1


def test_what_is_not_there_is_said(eyes):
    with pytest.raises(ImageError, match="children 11 to 14"):
        datasets.chase_db1(eyes, "test")
    with pytest.raises(ValueError, match="`observer` must be 1 or 2"):
        datasets.chase_db1(eyes, observer=3)


def test_the_shared_eyes_and_what_a_second_observer_agrees(data_root):
    root = data_root("chase_db1")
    first = datasets.chase_db1(root, "all")
    second = datasets.chase_db1(root, "all", observer=2)
    assert len(first) == len(second) == 20
    matrix = sum(
        metrics.confusion_matrix(a["label"], b["label"], 2)
        for a, b in zip(first, second)
    )
    # Papers give the second observer a sensitivity and precision of about 0.77.
    assert 0.7 < metrics.scores.dice_per_class(matrix)[1] < 0.82
