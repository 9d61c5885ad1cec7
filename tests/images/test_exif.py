"""Orientation by EXIF."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from kerasseg.images import as_array, read_image, read_mask
from tests.images.drawn import IDS, QUADRANTS


def test_a_photo_of_a_turned_camera_is_upright(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(np.eye(8, 12, dtype="uint8")).save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as picture:
        found = as_array(picture)
    np.testing.assert_array_equal(found, read_image(tmp_path / "a.png")[..., 0])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tif"])
def test_exif_orientation_is_applied_to_images(tmp_path, name, orientation):
    stored = np.kron(QUADRANTS, np.ones((8, 8, 1), np.uint8))
    exif = Image.Exif()
    exif[274] = orientation
    options = {"lossless": True} if name == "a.webp" else {}
    if name == "a.jpg":
        options = {"quality": 95, "subsampling": 0}
    Image.fromarray(stored).save(tmp_path / name, exif=exif, **options)
    # The EXIF standard: which corner the first row and the first column show.
    upright = {
        1: stored,
        2: np.fliplr(stored),
        3: np.rot90(stored, 2),
        4: np.flipud(stored),
        5: stored.transpose(1, 0, 2),
        6: np.rot90(stored, -1),
        7: np.rot90(stored, 2).transpose(1, 0, 2),
        8: np.rot90(stored),
    }[orientation]
    read = read_image(tmp_path / name).astype(int)
    assert read.shape == upright.shape
    assert abs(read - upright).max() <= 4


@pytest.mark.parametrize("orientation", [3, 6])
def test_orientation_is_applied_to_masks_and_deep_tiffs(tmp_path, orientation):
    turn = {3: 2, 6: -1}[orientation]
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(IDS).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png"), np.rot90(IDS, turn))
    deep = np.arange(36, dtype=np.uint16).reshape(3, 4, 3) * 1000
    tags = [(274, "H", 1, orientation, True)]
    tifffile.imwrite(tmp_path / "a.tif", deep, photometric="rgb", extratags=tags)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), np.rot90(deep, turn))
