import numpy as np
import pytest

from kerasseg.images import ImageError, write_image
from kerasseg.plan import sources
from kerasseg.recipes.options import check_data


def write(root, mask_of, num=10, size=24, dtype="uint8"):
    """Folder of images with a square of their own, and masks of it."""
    rng = np.random.default_rng(0)
    for number in range(num):
        mask = np.zeros([size, size], "uint8")
        mask[4:12, 4:12] = 1
        image = rng.integers(0, 256, [size, size, 3]).astype(dtype)
        write_image(root / f"images/{number}.png", image)
        write_image(root / f"labels/{number}.png", mask_of(mask))
    return root


def read(root, task=None, **options):
    data = {"dataset": "folder", **options}
    check_data(data)
    return sources.read(data, str(root), task)


def test_data_that_can_be_read_are_left_as_they_are(tmp_path):
    data, sides, reasons = read(write(tmp_path, lambda mask: mask, num=40))
    assert data["dataset"] == "folder"
    assert reasons == {}
    assert len(sides["train"]) + len(sides["val"]) == 40


def test_black_and_white_masks_become_two_classes(tmp_path):
    data, sides, reasons = read(write(tmp_path, lambda mask: mask * np.uint8(255)))
    assert data["values"] == {"0": 0, "255": 1}
    assert "0 and 255" in reasons["values"]
    assert len(sides["train"].classes) == 2
    assert np.unique(sides["train"][0]["label"]).tolist() == [0, 1]


def test_masks_of_numbered_objects_are_read_as_objects_or_one_class(tmp_path):
    def numbered(mask):
        ids = np.zeros(mask.shape, "uint16")
        for number in range(12):
            y, x = 6 * (number // 4), 6 * (number % 4)
            ids[y : y + 3, x : x + 3] = number + 1
        return ids

    root = write(tmp_path, numbered)
    data, sides, _ = read(root)
    assert data["dataset"] == "mask_folders"
    assert "instances" in sides["train"][0]
    data, sides, _ = read(root, "semantic")
    assert data["values"] == {"0": 0, "1-65535": 1}
    assert np.unique(sides["train"][0]["label"]).tolist() == [0, 1]


def test_masks_that_ask_a_question_are_an_error(tmp_path):
    """Black and white with noise: it may be cut at 128, or exported again."""
    noise = np.random.default_rng(0)

    def noisy(mask):
        return np.abs(255 * mask.astype(int) - noise.integers(0, 9, mask.shape)).astype(
            "uint8"
        )

    root = write(tmp_path, noisy)
    with pytest.raises(ImageError):
        read(root)


@pytest.mark.parametrize("num", [12, 20])
def test_few_images_leave_enough_for_validation_and_no_more(tmp_path, num):
    root = write(tmp_path, lambda mask: mask, num=num)
    data, sides, _ = read(root)
    fractions = (0.2, *sources.FRACTIONS)
    enough = [
        fraction
        for fraction in fractions
        if len(read(root, val_fraction=fraction)[1]["val"]) >= sources.LEAST_VAL
    ]
    assert data.get("val_fraction", 0.2) == (enough or fractions[-1:])[0]
    assert len(sides["val"]) >= 3


def test_a_given_share_of_validation_images_stays(tmp_path):
    root = write(tmp_path, lambda mask: mask, num=12)
    data, *_ = read(root, val_fraction=0.1)
    assert data["val_fraction"] == 0.1


def test_a_range_of_values_is_found_for_other_dtypes(tmp_path):
    root = write(tmp_path, lambda mask: mask)
    for path in (root / "images").iterdir():
        path.unlink()
    rng = np.random.default_rng(0)
    for number in range(10):
        image = rng.integers(0, 40000, [24, 24, 3]).astype("uint16")
        write_image(root / f"images/{number}.png", image)
    _, sides, _ = read(root)
    assert sides["train"].value_range == sides["val"].value_range == (0, 65535)
