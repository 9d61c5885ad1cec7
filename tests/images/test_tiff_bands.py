"""Files of any number of bands, against tifffile, Pillow and plain arrays."""

import io
import itertools

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from kerasseg.images import ImageError, read_image, read_mask
from tests.images.drawn import bands

LAYOUTS = {
    "interleaved": {"planarconfig": "contig"},
    "planar": {"planarconfig": "separate"},
    "tiled": {"planarconfig": "contig", "tile": (16, 32)},
    "planar tiles": {"planarconfig": "separate", "tile": (32, 16)},
    "strips": {"planarconfig": "contig", "rowsperstrip": 5},
    "BigTIFF": {"planarconfig": "contig", "bigtiff": True},
    "big endian": {"planarconfig": "contig", "byteorder": ">"},
    "zlib": {"planarconfig": "contig", "compression": "zlib"},
}
DTYPES = ["uint8", "uint16", "uint32", "int16", "float32", "float64"]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_all_bands_of_a_tiff_are_read_as_they_are(tmp_path, layout, dtype, rng):
    for num in (2, 3, 4, 5, 7):
        image, options = bands(dtype, num, rng), LAYOUTS[layout]
        planar = options["planarconfig"] == "separate"
        stored = np.moveaxis(image, 2, 0) if planar else image
        file = tmp_path / f"{num}.tif"
        tifffile.imwrite(file, stored, photometric="minisblack", **options)
        expected = dtype if dtype in ("uint8", "uint16") else "float32"
        for channels in (None, num):
            found = read_image(file, channels=channels)
            assert found.dtype == expected
            np.testing.assert_array_equal(found, image)
        if num != 3:
            with pytest.raises(ImageError, match=f"{num} channels.*channels={num}"):
                read_image(file)


@pytest.mark.parametrize("predictor", [1, 2])
@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate"])
def test_compressed_tiffs_equal_their_arrays(tmp_path, compression, predictor, rng):
    if compression == "packbits" and predictor == 2:
        pytest.skip("the format has none")
    smooth = cv2.blur(rng.integers(0, 256, [60, 90, 3]).astype("uint8"), (9, 9))
    for image in (smooth, smooth[..., 0], smooth[..., 0].astype("uint16") * 200):
        options = {"compression": compression, "tiffinfo": {317: predictor}}
        Image.fromarray(image).save(tmp_path / "a.tif", **options)
        found = read_image(tmp_path / "a.tif", channels=None)
        np.testing.assert_array_equal(found, np.atleast_3d(image))


def test_lzw_bands_of_16_bits_equal_opencv_s(tmp_path, rng):
    image = rng.integers(0, 65536, [40, 30, 4]).astype("uint16")
    cv2.imwrite(str(tmp_path / "a.tif"), image)  # LZW with a predictor, BGRA
    found = read_image(tmp_path / "a.tif", channels=None)
    np.testing.assert_array_equal(found[..., :3], image[..., 2::-1])


def test_only_what_is_tagged_as_alpha_is_dropped(tmp_path, rng):
    image = bands("uint16", 4, rng)
    for photometric, extra in itertools.product(("rgb", "minisblack"), (0, 1, 2)):
        extras = [extra] if photometric == "rgb" else [0, 0, extra]
        options = {"photometric": photometric, "extrasamples": extras}
        tifffile.imwrite(tmp_path / "a.tif", image, planarconfig="contig", **options)
        found = read_image(tmp_path / "a.tif", channels=None)
        np.testing.assert_array_equal(found, image[..., : 3 if extra else 4])


def test_a_band_that_is_tagged_as_alpha_is_read_where_it_is_counted(tmp_path, rng):
    image = bands("uint16", 4, rng)
    tifffile.imwrite(tmp_path / "a.tif", image, photometric="rgb", extrasamples=[2])
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), image[..., :3])
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif", channels=4), image)
    options = {"photometric": "minisblack", "extrasamples": [0, 2]}
    tifffile.imwrite(tmp_path / "b.tif", image[..., :3], **options)
    with pytest.raises(ImageError, match="Received: 2 channels"):
        read_image(tmp_path / "b.tif")


def test_tiles_that_a_sparse_tiff_leaves_out_are_its_nodata(tmp_path):
    tiles = [np.full([16, 16], 9, "uint16"), None, None, None]
    options = {"shape": (32, 32), "dtype": "uint16", "tile": (16, 16)}
    nodata = [(42113, "s", 0, "7", True)]
    tifffile.imwrite(tmp_path / "a.tif", iter(tiles), extratags=nodata, **options)
    expected = np.full([32, 32], 7)
    expected[:16, :16] = 9
    found = read_image(tmp_path / "a.tif", channels=1)
    np.testing.assert_array_equal(found[..., 0], expected)
    tifffile.imwrite(tmp_path / "a.tif", iter(tiles), **options)
    with pytest.raises(ImageError, match=r"tile 1 is left out: .*SPARSE_OK=FALSE"):
        read_image(tmp_path / "a.tif", channels=1)


def test_a_mask_in_a_tiff_of_jpeg_is_refused_as_lossy(tmp_path, rng):
    noise = Image.fromarray(rng.integers(0, 2, [40, 30]).astype("uint8") * 255)
    noise.save(tmp_path / "a.tif", compression="jpeg")
    with pytest.raises(ImageError, match=r"lossless.*JPEG"):
        read_mask(tmp_path / "a.tif")
    spans = {"0-127": 0, "128-255": 1}
    found = read_mask(tmp_path / "a.tif", values=spans)
    np.testing.assert_array_equal(found, np.asarray(noise) > 0)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32"])
def test_a_tiff_in_which_zero_is_white_is_inverted(tmp_path, dtype):
    image = np.arange(12).reshape(3, 4).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", image, photometric="miniswhite")
    if dtype == "uint32":  # 2**32 - 1 is none of float32
        with pytest.raises(ImageError, match="float32 can hold"):
            read_image(tmp_path / "a.tif", channels=1)
        return
    found = read_image(tmp_path / "a.tif", channels=1)
    np.testing.assert_array_equal(found[..., 0], np.iinfo(dtype).max - image)


def test_a_tiff_that_ends_early_is_refused(tmp_path, rng):
    for options in LAYOUTS.values():
        stored = bands("uint16", 4, rng)
        if options["planarconfig"] == "separate":
            stored = np.moveaxis(stored, 2, 0)
        stream = io.BytesIO()
        tifffile.imwrite(stream, stored, photometric="minisblack", **options)
        (tmp_path / "a.tif").write_bytes(stream.getvalue()[:-400])
        with pytest.raises(ImageError, match="a complete TIFF file"):
            read_image(tmp_path / "a.tif", channels=None)


def test_bands_count_for_the_limit_of_memory(tmp_path):
    image = np.zeros([20, 10, 9], "float64")
    tifffile.imwrite(
        tmp_path / "a.tif", image, photometric="minisblack", planarconfig="contig"
    )
    with pytest.raises(ImageError, match="9 bands of 64 bits: 14400 bytes"):
        read_image(tmp_path / "a.tif", channels=9, max_pixels=200)
    np.save(tmp_path / "a.npy", image)
    with pytest.raises(ImageError, match="at most 3200 bytes"):
        read_image(tmp_path / "a.npy", channels=9, max_pixels=200)
