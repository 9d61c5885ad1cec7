"""Files of any number of bands, against tifffile, Pillow and plain arrays."""

import io
import itertools
import struct

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from kerasseg.images import ImageError, as_array, read_image, read_mask

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


def bands(dtype, num, rng):
    if dtype.startswith("f"):
        return rng.normal(size=[37, 53, num]).astype("float32").astype(dtype)
    return rng.integers(0, 200, [37, 53, num]).astype(dtype)


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


def test_a_band_that_is_tagged_as_alpha_is_read_where_it_is_counted(tmp_path, rng):
    image = bands("uint16", 4, rng)
    tifffile.imwrite(tmp_path / "a.tif", image, photometric="rgb", extrasamples=[2])
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), image[..., :3])
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif", channels=4), image)
    options = {"photometric": "minisblack", "extrasamples": [0, 2]}
    tifffile.imwrite(tmp_path / "b.tif", image[..., :3], **options)
    with pytest.raises(ImageError, match="Received: 2 channels"):
        read_image(tmp_path / "b.tif")


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


def test_a_volume_is_no_picture(tmp_path):
    volume = np.zeros([16, 32, 32], "uint8")
    options = {"volumetric": True, "tile": (16, 16, 16)}
    tifffile.imwrite(tmp_path / "a.tif", volume, **options)
    with pytest.raises(ImageError, match="a volume of 16 planes"):
        read_image(tmp_path / "a.tif")


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


def test_16_bit_png_with_alpha_keeps_its_colours(tmp_path, rng):
    image = rng.integers(0, 65536, [9, 8, 4]).astype("uint16")
    image[..., 3] //= 2
    cv2.imwrite(str(tmp_path / "a.png"), image)  # BGRA
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), image[..., 2::-1])


def test_cmyk_and_transparent_palettes_are_their_colours(tmp_path):
    color = (200, 100, 50)
    picture = Image.new("RGB", (6, 5), color)
    picture.convert("CMYK").save(tmp_path / "a.tif")
    assert abs(read_image(tmp_path / "a.tif")[0, 0].astype(int) - color).max() <= 1
    palette = picture.convert("P", palette=Image.Palette.ADAPTIVE)
    for name in ("a.png", "a.gif"):
        palette.save(tmp_path / name, transparency=0)
        assert read_image(tmp_path / name)[0, 0].tolist() == list(color)
    palette.save(tmp_path / "p.tif")
    assert read_image(tmp_path / "p.tif")[0, 0].tolist() == list(color)


def test_numpy_files_are_pictures_and_masks(tmp_path, rng):
    image = rng.normal(size=[6, 5, 8])
    np.save(tmp_path / "a.npy", image)
    found = read_image(tmp_path / "a.npy", channels=8)
    np.testing.assert_array_equal(found, image.astype("float32"))
    np.save(tmp_path / "m.npy", np.array([[0, 1], [700, 2]]))
    assert read_mask(tmp_path / "m.npy").tolist() == [[0, 1], [700, 2]]
    np.save(tmp_path / "b.npy", np.array([[False, True]]))
    assert read_image(tmp_path / "b.npy", channels=1).ravel().tolist() == [0, 255]
    assert read_mask(tmp_path / "b.npy").tolist() == [[0, 1]]
    for wrong, match in [
        (np.zeros([4, 64, 80]), r"looks like \[C, H, W\]"),
        (np.zeros([4]), "of shape"),
        (np.array([{}]), "object of shape"),
        (np.zeros([4, 5], complex), "complex128"),
    ]:
        np.save(tmp_path / "w.npy", wrong, allow_pickle=True)
        with pytest.raises(ImageError, match=match):
            read_image(tmp_path / "w.npy", channels=None)
    data = (tmp_path / "a.npy").read_bytes()[:-9]
    (tmp_path / "w.npy").write_bytes(data)
    with pytest.raises(ImageError, match="a complete NumPy file"):
        read_image(tmp_path / "w.npy", channels=None)


def test_bytes_and_file_objects_are_read_as_files(tmp_path, rng):
    image = rng.integers(0, 256, [5, 6, 3]).astype("uint8")
    Image.fromarray(image).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    for source in (data, bytearray(data), io.BytesIO(data)):
        np.testing.assert_array_equal(read_image(source), image)
    with open(tmp_path / "a.png", "rb") as file:
        np.testing.assert_array_equal(read_image(file), image)
    refused = pytest.raises(ImageError, match='Open it with mode "rb"')
    with open(tmp_path / "a.png", encoding="latin1") as file, refused:
        read_image(file)
    for source, name in ((data[:50], "<bytes>"), (io.BytesIO(b""), "<file object>")):
        with pytest.raises(ImageError, match=name):
            read_image(source)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "LA", "1", "CMYK", "I;16"])
def test_pil_images_are_the_arrays_that_their_files_give(tmp_path, mode, rng):
    if mode == "I;16":
        picture = Image.fromarray(rng.integers(0, 65536, [5, 6]).astype("uint16"))
    else:
        noise = Image.fromarray(rng.integers(0, 256, [5, 6, 3]).astype("uint8"))
        picture = noise.convert(mode)
    name = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    picture.save(name)
    expected = read_image(name, channels=None)
    np.testing.assert_array_equal(np.atleast_3d(as_array(picture)), expected)


def test_a_photo_of_a_turned_camera_is_upright(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(np.eye(8, 12, dtype="uint8")).save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as picture:
        found = as_array(picture)
    np.testing.assert_array_equal(found, read_image(tmp_path / "a.png")[..., 0])


def test_a_chain_of_pages_in_a_circle_is_refused(tmp_path):
    page = struct.pack("<H", 1) + struct.pack("<HHII", 256, 4, 1, 9)
    data = b"II*\0" + struct.pack("<I", 8) + page + struct.pack("<I", 8)
    (tmp_path / "circle.tif").write_bytes(data)
    with pytest.raises(ImageError, match="leads in a circle"):
        read_image(tmp_path / "circle.tif")
