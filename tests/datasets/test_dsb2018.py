"""The split of the nuclei: crops of one slide stay together."""

import numpy as np
import pytest

from kerasseg import datasets
from kerasseg.datasets.dsb2018 import group_by_slide
from kerasseg.images import write_image, write_mask


def slide(rng, height=48, width=64):
    """Smooth noise: neighbouring pixels are alike."""
    noise = rng.normal(size=[height, width, 1])
    for axis in (0, 1):
        for _ in range(8):
            noise = noise + np.roll(noise, 1, axis)
    noise = (noise - noise.min()) / np.ptp(noise)
    return np.repeat(255 * noise, 3, -1).astype("float32")


def test_crops_that_continue_each_other_are_one_group(rng):
    first, second = slide(rng), slide(rng)
    crops = [first[:24, :32], second[:24, :32], first[24:, :32], first[24:, 32:]]
    assert group_by_slide(crops, False) == [[0, 2, 3], [1]]


def test_stained_crops_of_one_white_are_one_group(rng):
    whites = ((230, 220, 240), (228, 221, 240), (230, 210, 240))
    crops = []
    for white in whites:
        stain = rng.integers(0, 200, [16, 16, 3])
        glass = rng.random([16, 16, 1]) < 0.5
        crops.append(np.where(glass, white, stain).astype("float32"))
    assert group_by_slide(crops, True) == [[0, 1], [2]]
    assert group_by_slide(crops, False) == [[0], [1], [2]]


def test_flat_images_are_not_alike():
    flat = [np.full([8, 8, 3], 7.0, "float32") for _ in range(2)]
    assert group_by_slide(flat, False) == [[0], [1]]


def test_a_split_is_the_same_again_and_keeps_groups_together(rng, tmp_path):
    for number in range(10):
        crop = slide(rng)
        for name, part in (("a", crop[:, :32]), ("b", crop[:, 32:])):
            write_image(tmp_path / f"images/{number}{name}.png", part.astype("uint8"))
            write_mask(
                tmp_path / f"labels/{number}{name}.png", np.eye(48, 32, dtype=int)
            )
    train, val = (datasets.dsb2018(tmp_path, split) for split in ("train", "val"))
    assert len(val) == 4 and len(train) == 16
    assert not set(train.names) & set(val.names)
    assert {name[0] + "a" for name in val.names} < set(val.names)
    assert datasets.dsb2018(tmp_path, "val").names == val.names
    assert val[0]["classes"].tolist() == [1]
    assert len(datasets.dsb2018(tmp_path, "all")) == 20


def test_an_unknown_split_is_refused(tmp_path):
    with pytest.raises(ValueError, match="split of dsb2018"):
        datasets.dsb2018(tmp_path, "valid")


def test_the_shared_nuclei_divide_by_slides(data_root):
    root = data_root("dsb2018")
    # Every split reads all images: "train", the rest, is tested on synthetic ones.
    val, whole = (datasets.dsb2018(root, split) for split in ("val", "all"))
    assert len(val) == 30 and len(whole) == 155
    sides = {*val.names}, {*whole.names} - {*val.names}
    starts = [{name[:6] for name in side} for side in sides]
    # Seen to be halves of one picture.
    for pair in (("139946", "1e8408"), ("00ae65", "4590d7"), ("84e642", "e4fc93")):
        assert any(set(pair) <= side for side in starts)
