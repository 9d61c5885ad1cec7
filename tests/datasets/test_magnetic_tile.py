import numpy as np
import pytest

from kerasseg import datasets
from kerasseg.images import ImageError, write_image, write_mask

# Tiles by the numbers of their photographs: a step of 150 is one tile, of 151 two.
TILES = {
    "crack": [(100, 250, 400), (551,), (2000,), (3000,)],
    "fray": [(4000, 4001), (5000,), (6000,), (7000,)],
    "free": [(8000,), (8200,), (8400,), (8600,)],
}


@pytest.fixture
def tiles(tmp_path):
    for kind, tiles in TILES.items():
        class_id = {"crack": 3, "fray": 4, "free": 0}[kind]
        for number in (number for tile in tiles for number in tile):
            name = f"{kind}_exp1_num_{number}"
            write_image(tmp_path / f"images/{name}.jpg", np.zeros([8, 9], "uint8"))
            mask = np.full([8, 9], class_id, "uint8")
            write_mask(tmp_path / f"labels/{name}.png", mask)
    return tmp_path


def tile_of(name):
    number = int(name.rpartition("_")[2])
    return next(t for tiles in TILES.values() for t in tiles if number in t)


@pytest.mark.parametrize("quarter", range(4))
def test_photographs_of_one_tile_are_on_one_side(tiles, quarter):
    train = datasets.magnetic_tile(tiles, "train", quarter=quarter)
    val = datasets.magnetic_tile(tiles, "val", quarter=quarter)
    assert len(train) + len(val) == 15
    assert not {*map(tile_of, train.names)} & {*map(tile_of, val.names)}
    # A quarter of each kind: one tile of four.
    kinds = [name.split("_")[0] for name in {*map(str, map(tile_of, val.names))}]
    assert len(kinds) == 3
    assert {n.split("_")[0] for n in val.names} == {"crack", "fray", "free"}


def test_the_quarters_are_disjoint_and_hold_all(tiles):
    vals = [datasets.magnetic_tile(tiles, "val", quarter=i).names for i in range(4)]
    assert sorted(sum(vals, ())) == sorted(datasets.magnetic_tile(tiles).names)


def test_a_tile_with_two_kinds_counts_as_the_defect(tiles):
    name = "free_exp2_num_4002"  # of the fray at 4000
    write_image(tiles / f"images/{name}.jpg", np.zeros([8, 9], "uint8"))
    write_mask(tiles / f"labels/{name}.png", np.zeros([8, 9], "uint8"))
    for quarter in range(4):
        names = datasets.magnetic_tile(tiles, "val", quarter=quarter).names
        assert (name in names) == ("fray_exp1_num_4000" in names)


def test_labels_are_classes_and_images_are_in_three_channels(tiles):
    samples = datasets.magnetic_tile(tiles)
    assert samples.classes[3:5] == ("crack", "fray") and len(samples.colors) == 6
    sample = samples[samples.names.index("fray_exp1_num_5000")]
    assert sample["image"].shape == (8, 9, 3) and sample["label"].max() == 4


def test_what_does_not_fit_is_said(tiles):
    with pytest.raises(ValueError, match=r"`quarter` must be in 0\.\.3"):
        datasets.magnetic_tile(tiles, "val", quarter=4)
    write_image(tiles / "images/photo.jpg", np.zeros([8, 9], "uint8"))
    write_mask(tiles / "labels/photo.png", np.zeros([8, 9], "uint8"))
    assert "photo" in datasets.magnetic_tile(tiles).names
    with pytest.raises(ImageError, match="crack_exp1_num_85602"):
        datasets.magnetic_tile(tiles, "val")


def test_the_shared_tiles_have_each_defect_on_both_sides(data_root):
    root = data_root("magnetic_tile")
    for side, num in (("train", 274), ("val", 101)):
        samples = datasets.magnetic_tile(root, side)
        kinds = {name.split("_")[0] for name in samples.names}
        assert len(samples) == num and len(kinds) == 6
