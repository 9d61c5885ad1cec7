"""All samples of a data set whose reader has nothing but splits."""

import numpy as np
import pytest

from kerasseg import datasets
from kerasseg.images import write_image, write_mask


@pytest.fixture
def root(tmp_path):
    """CamVid without its test frames."""
    for side in ("train", "val"):
        write_image(tmp_path / f"{side}/images/a.jpg", np.zeros([8, 9, 3], "uint8"))
        write_mask(tmp_path / f"{side}/labels/a.png", np.full([8, 9], side == "val"))
    return tmp_path


def test_splits_are_joined_and_those_that_are_not_there_are_told(root):
    samples = datasets.whole(datasets.camvid, root)
    assert samples.splits == ("train", "val")
    assert [int(samples[index]["label"].max()) for index in (0, 1)] == [0, 1]
    (note,) = samples.notes
    assert note.startswith("Left out: the split test: ")


def test_nothing_at_all_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="required"):
        datasets.whole(datasets.camvid, tmp_path)
