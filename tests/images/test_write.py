"""Written images and masks, read back by an independent reader."""

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from kerasseg.images import (
    read_image,
    read_mask,
    write_animation,
    write_image,
    write_mask,
)

# Four quadrants: red, green / blue, white.
QUADRANTS = np.zeros((4, 6, 3), np.uint8)
QUADRANTS[:2, :3, 0] = QUADRANTS[:2, 3:, 1] = QUADRANTS[2:, :3, 2] = 255
QUADRANTS[2:, 3:] = 255

IDS = np.array([[0, 1, 2], [3, 200, 255]], np.uint8)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp"])
def test_written_images_read_back_the_same(tmp_path, name):
    write_image(tmp_path / "new" / name, QUADRANTS)
    with Image.open(tmp_path / "new" / name) as image:  # an independent reader
        np.testing.assert_array_equal(np.asarray(image), QUADRANTS)
    assert [file.name for file in (tmp_path / "new").iterdir()] == [name]


def test_written_16_bit_and_float_images_read_back_the_same(tmp_path):
    deep = QUADRANTS.astype(np.uint16) * 257
    write_image(tmp_path / "a.png", deep)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), deep)
    write_image(tmp_path / "a.tif", QUADRANTS[..., 0] / np.float32(3))
    read = tifffile.imread(tmp_path / "a.tif")
    np.testing.assert_array_equal(read, QUADRANTS[..., 0] / np.float32(3))


@pytest.mark.parametrize(
    "name, image",
    [
        ("a.png", QUADRANTS / 255),  # float64 would lose its range
        ("a.jpg", QUADRANTS.astype(np.uint16)),
        ("a.png", QUADRANTS[..., :2]),
        ("a.txt", QUADRANTS),
    ],
)
def test_images_that_the_format_cannot_hold_are_refused(tmp_path, name, image):
    with pytest.raises(ValueError, match="Received"):
        write_image(tmp_path / name, image)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("high, mode", [(255, "L"), (256, "I;16")])
def test_masks_are_written_with_the_bits_that_they_need(tmp_path, high, mode):
    label = np.array([[0, 1], [2, high]], np.int32)
    write_mask(tmp_path / "a.png", label)
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == mode
        np.testing.assert_array_equal(np.asarray(image), label)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png"), label)


def test_palette_masks_keep_ids_and_show_colours(tmp_path):
    palette = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0]], np.uint8)
    write_mask(tmp_path / "a.png", np.array([[0, 1], [2, 255]]), palette=palette)
    assert read_mask(tmp_path / "a.png").tolist() == [[0, 1], [2, 255]]
    seen = cv2.imread(str(tmp_path / "a.png"))[..., ::-1]  # shows colours
    np.testing.assert_array_equal(seen[0], palette[:2])
    np.testing.assert_array_equal(seen[1], [palette[2], [224, 224, 192]])


@pytest.mark.parametrize(
    "label, palette",
    [
        (np.array([[-1]]), None),
        (np.array([[65536]]), None),
        (np.array([[0.0]]), None),
        (np.array([0]), None),
        (np.array([[256]]), np.zeros((3, 3), np.uint8)),
        (np.array([[0]]), np.zeros((3, 3)) + 0.5),
    ],
)
def test_masks_that_png_cannot_hold_are_refused(tmp_path, label, palette):
    with pytest.raises(ValueError, match="Received"):
        write_mask(tmp_path / "a.png", label, palette=palette)
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    write_mask(tmp_path / "a.png", IDS)

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_mask(tmp_path / "a.png", 0 * IDS)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png"), IDS)
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("name", ["a.gif", "a.webp"])
def test_animations_hold_all_frames_and_their_time(tmp_path, name):
    frames = [np.full([16, 24, 3], level, "uint8") for level in (0, 100, 200)]
    write_animation(tmp_path / "new" / name, iter(frames), fps=4)
    with Image.open(tmp_path / "new" / name) as film:
        assert film.n_frames == 3 and film.size == (24, 16)
        for index, level in enumerate((0, 100, 200)):
            film.seek(index)
            shown = np.asarray(film.convert("RGB"))
            assert np.abs(shown.astype(int) - level).max() <= 2
            assert film.info["duration"] == 250 and film.info["loop"] == 0


def test_what_is_no_animation_is_refused(tmp_path):
    good = np.zeros([8, 8, 3], "uint8")
    for name, frames, message in (
        ("a.png", [good], r"\.gif or \.webp"),
        ("a.gif", [], "one picture or more"),
        ("a.gif", [good, good[:4]], "of one size"),
        ("a.gif", [good[..., 0]], "of one size"),
    ):
        with pytest.raises(ValueError, match=message):
            write_animation(tmp_path / name, frames)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.png", "a.webp"])
def test_cut_outs_are_written_with_their_opacity(tmp_path, name):
    image = np.zeros([6, 5, 4], "uint8")
    image[..., 0], image[:3, :, 3] = 200, 255
    write_image(tmp_path / name, image)
    with Image.open(tmp_path / name) as stored:
        found = np.asarray(stored)
    np.testing.assert_array_equal(found[..., 3], image[..., 3])
    assert abs(int(found[0, 0, 0]) - 200) < 12 and found[0, 0, 2] < 12
    for other in ("a.jpg", "a.tif"):
        with pytest.raises(ValueError, match=r"\[H, W, 4\] of uint8 for"):
            write_image(tmp_path / other, image)
