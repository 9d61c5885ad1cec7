"""Splits: whole groups and near duplicates on one side, the same on every machine."""

import cv2
import numpy as np
import pytest

from kerasseg import datasets, recipes
from kerasseg.datasets import _near
from kerasseg.images import ImageError, read_image, write_image, write_mask


def picture(rng):
    """Smooth colours and fine structure, as a photograph has."""
    coarse = cv2.resize(rng.uniform(0, 255, [6, 6, 3]), (128, 96))
    fine = cv2.resize(rng.normal(0, 60, [24, 32, 1]), (128, 96))[..., None]
    return np.clip(coarse + fine, 0, 255).astype("uint8")


def write(root, name, image, class_id=1):
    """One image and its mask."""
    write_image(root / f"images/{name}.png", image)
    label = np.zeros(image.shape[:2], "uint8")
    label[:10] = class_id
    write_mask(root / f"labels/{name}.png", label)


def both(root, **options):
    """Names on both sides."""
    return [datasets.folder(root, side, **options).names for side in ("train", "val")]


COPIES = {
    "jpeg": lambda x: cv2.imdecode(cv2.imencode(".jpg", x, [1, 40])[1], 1),
    "half": lambda x: cv2.resize(x, (64, 48), interpolation=cv2.INTER_AREA),
    "bright": lambda x: np.clip(x * 1.2 + 10, 0, 255).astype("uint8"),
    "16 bits": lambda x: x.astype("uint16") * 257,
    "the same": lambda x: x,
}


@pytest.mark.parametrize("copy", COPIES)
def test_near_duplicates_stay_on_one_side(tmp_path, rng, copy):
    for number in range(12):
        image = picture(rng)
        write(tmp_path, f"{number:02d}", image)
        write(tmp_path, f"copy of {number:02d}", COPIES[copy](image))
    train, val = both(tmp_path)
    assert len(train) + len(val) == 24 and val
    for side in (train, val):
        assert all(f"copy of {name}" in side for name in side if "copy" not in name)


def test_different_and_flat_pictures_are_no_duplicates(rng):
    images = [picture(rng) for _ in range(20)] + [np.zeros([9, 9, 3], "uint8")] * 2
    found = _near.pairs([_near.signature(image) for image in images])
    assert found == []


@pytest.mark.parametrize(
    ("name", "most"),
    [("chase_db1", 0), ("dsb2018", 0), ("coco128", 0), ("isbi2012", 0)],
)
def test_no_false_duplicates_in_real_data(data_root, name, most):
    files = [p for p in data_root(name).rglob("*") if p.suffix in (".jpg", ".png")]
    files = [p for p in files if "labels" not in p.parts and "HO" not in p.stem]
    signatures = [_near.signature(read_image(path)) for path in files]
    assert not _near.pairs(signatures)


def test_pictures_that_are_all_alike_are_split_one_by_one(tmp_path, rng):
    image = picture(rng)
    for number in range(10):
        write(tmp_path, str(number), image)
    train, val = both(tmp_path)
    assert train and val


def test_groups_of_a_pattern_stay_together(tmp_path, rng):
    for patient in range(10):
        for place in range(3):
            write(tmp_path, f"p{patient}_{place}", picture(rng), 1 + (patient < 2))
    samples = datasets.folder(tmp_path)
    train, val = (
        datasets.split(samples, side, group="^(p.)_") for side in ("train", "val")
    )
    assert sorted(train.names + val.names) == sorted(samples.names)
    assert not {name[:2] for name in train.names} & {name[:2] for name in val.names}
    # The class of two patients is on both sides.
    for side in (train, val):
        assert any((side[i]["label"] == 2).any() for i in range(len(side)))


@pytest.mark.parametrize(
    ("group", "told"),
    [("(", "regular expression"), ("^x", "'a_1'"), ("_", "two groups")],
)
def test_a_wrong_pattern_is_refused(tmp_path, rng, group, told):
    for name in ("a_1", "b_1", "b_2"):
        write(tmp_path, name, picture(rng))
    with pytest.raises((ValueError, ImageError), match=told):
        datasets.split(datasets.folder(tmp_path), "train", group=group)


def test_a_recipe_splits_by_groups(tmp_path, rng):
    for name in ("a_1", "a_2", "b_1", "b_2"):
        write(tmp_path, name, picture(rng))
    recipe = recipes.read(recipes.FOLDER, ["data.group=^."])
    sides = [
        recipes.build_samples(recipe, tmp_path, side).names for side in ("train", "val")
    ]
    assert sorted(sides) == [("a_1", "a_2"), ("b_1", "b_2")]


def test_very_many_pictures_are_not_compared(monkeypatch):
    monkeypatch.setattr(_near, "MOST", 2)
    # None of these files is there to be read.
    assert _near.keys_of(["a.png", "b.png", "c.png"], "abc") == [None] * 3
