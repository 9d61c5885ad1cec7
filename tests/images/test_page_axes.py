"""Pages: bands, copies, or a volume."""

import io

import numpy as np
import pytest
import tifffile

from kerasseg.images import ImageError, read_image, read_mask
from tests.images.drawn import bands


def test_channels_of_imagej_and_ome_are_bands(tmp_path, rng):
    image = bands("uint16", 4, rng)
    for options in ({"imagej": True}, {"ome": True}):
        stored = np.moveaxis(image, 2, 0)
        file = tmp_path / "a.tif"
        tifffile.imwrite(file, stored, metadata={"axes": "CYX"}, **options)
        np.testing.assert_array_equal(read_image(file, channels=4), image)
        tifffile.imwrite(file, stored, metadata={"axes": "ZYX"}, **options)
        with pytest.raises(ImageError, match="4 frames or pages, axes ZYX"):
            read_image(file, channels=4)


def test_pages_are_bands_where_they_are_counted(tmp_path, rng):
    image = bands("uint16", 4, rng)

    def write(num, axes=None, **options):
        with tifffile.TiffWriter(tmp_path / "a.tif") as file:
            for page in np.moveaxis(image[..., :num], 2, 0):
                file.write(page, contiguous=False, metadata=axes, **options)

    write(4)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif", channels=4), image)
    for channels in (None, 3, 5):
        with pytest.raises(ImageError, match=r"4 frames.*read all: channels=4 \(--set"):
            read_image(tmp_path / "a.tif", channels=channels)
    with pytest.raises(ImageError, match=r"4 frames or pages"):
        read_mask(tmp_path / "a.tif")
    write(3)  # 3 channels is the default: nobody says that these are red, green, blue
    with pytest.raises(ImageError, match=r"3 frames or pages.* in a \.npy file"):
        read_image(tmp_path / "a.tif", channels=3)
    pages = np.moveaxis(image, 2, 0)
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="minisblack")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif", channels=4), image)


def test_reduced_copies_and_masks_are_no_pages(tmp_path, rng):
    image = bands("uint8", 1, rng)[..., 0]
    for kind in (1, 4):
        stream = io.BytesIO()
        with tifffile.TiffWriter(stream) as file:
            file.write(image, metadata=None)
            file.write(image, subfiletype=1, metadata=None)
        data = bytearray(stream.getvalue())
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            data[file.pages[1].tags[254].valueoffset] = kind
        found = read_image(bytes(data), channels=1)
        np.testing.assert_array_equal(found[..., 0], image)


def test_a_volume_is_no_picture(tmp_path):
    volume = np.zeros([16, 32, 32], "uint8")
    options = {"volumetric": True, "tile": (16, 16, 16)}
    tifffile.imwrite(tmp_path / "a.tif", volume, **options)
    with pytest.raises(ImageError, match="a volume of 16 planes"):
        read_image(tmp_path / "a.tif")
