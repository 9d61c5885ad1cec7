"""Masks that hold no class ids are recognised, and the printed line mends it."""

import json
import re
import shlex

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data

from kerasseg import datasets
from kerasseg.cli import main
from kerasseg.images import ImageError, mask_kinds, read_mask, write_image

Y, X = np.mgrid[:64, :80]


def disk(row, column, radius):
    return (Y - row) ** 2 + (X - column) ** 2 < radius**2


def through_jpeg(mask):
    return cv2.imdecode(cv2.imencode(".jpg", mask)[1], cv2.IMREAD_UNCHANGED)


def write(root, masks):
    for number, mask in enumerate(masks):
        write_image(root / f"images/{number}.png", np.full([64, 80, 3], 99, "uint8"))
        write_image(root / f"labels/{number}.png", mask)
    return root


def black_and_white():
    return [(disk(30, 20 + 8 * k, 15) * 255).astype("uint8") for k in range(5)]


def numbered(num, first=1):
    """A label image of so many cells, each a number of its own."""
    cells = np.zeros([64, 80], "uint8")
    for k in range(num):
        row, column = divmod(k, 10)
        cells[row * 8 : row * 8 + 6, column * 8 : column * 8 + 6] = first + k
    return cells


def checked(root, *options):
    return main(["check-data", "--data", str(root), "--json", *options])


def lines_to_paste(text):
    return re.findall(r"--set (?:'[^']*'|\S+)", text)


@pytest.mark.parametrize(
    "kind, masks, words",
    [
        ("0 and 255", black_and_white(), "only 0 and 255"),
        ("JPEG", [through_jpeg(mask) for mask in black_and_white()], "saved as JPEG"),
        (
            "colour JPEG",
            [through_jpeg(cv2.merge([mask] * 3)) for mask in black_and_white()],
            "smoothed or saved|one channel",
        ),
        ("smoothed", [cv2.blur(m, (3, 3)) for m in black_and_white()], "smoothed"),
        ("levels", [mask // 255 * 128 for mask in black_and_white()], "only 0, 128"),
        ("objects", [numbered(n) for n in (60, 9, 31, 14, 22)], "connected region"),
        ("many", [numbered(9, 1 + 9 * k) for k in range(5)], "ids up to 45.*objects"),
    ],
)
def test_masks_of_this_kind_are_told_with_a_line_that_mends_them(
    tmp_path, capsys, kind, masks, words
):
    write(tmp_path, masks)
    assert checked(tmp_path) == 1
    text = capsys.readouterr().err
    assert re.search(words, text) and text.count("\n") == 1
    pasted = [shlex.split(line) for line in lines_to_paste(text)]
    assert pasted
    for line in pasted:
        assert checked(tmp_path, *line) == 0, line
        report = json.loads(capsys.readouterr().out)["train"]
        if "mask_folders" in line[1] or "classes=" in line[1]:
            continue
        assert len(report["pixels"]) == 2 and report["ignored_share"] == 0
        assert all(report["pixels"].values())


def test_python_takes_the_same_words(tmp_path):
    masks = [through_jpeg(mask) for mask in black_and_white()]
    write(tmp_path, masks)
    with pytest.raises(ImageError, match=r'values=\{"0-127": 0, "128-255": 1\}'):
        datasets.folder(tmp_path)
    samples = datasets.folder(tmp_path, values={"0-127": 0, "128-255": 1})
    wrong = samples[0]["label"] != (black_and_white()[0] > 0)
    assert wrong.mean() < 0.01
    with pytest.raises(ImageError, match=r"noise around black and white.*0-127"):
        datasets.folder(tmp_path, values={0: 0, 255: 1})[0]


def test_colours_can_be_pasted(tmp_path, capsys):
    red = np.where(disk(30, 30, 15)[..., None], (200, 0, 0), (0, 0, 0))
    write(tmp_path, [red.astype("uint8")] * 5)
    assert checked(tmp_path) == 1
    (line,) = lines_to_paste(capsys.readouterr().err)
    for text in (
        shlex.split(line)[1],
        'data.colors={"0,0,0" = 0, "200,0,0" = 1}',
        'data.colors={"#000000" = 0, "#c80000" = 1}',
        "data.colors=[[0, 0, 0], [200, 0, 0]]",
    ):
        assert checked(tmp_path, "--set", text) == 0
        pixels = json.loads(capsys.readouterr().out)["train"]["pixels"]
        assert list(pixels.values())[1] == 4 * disk(30, 30, 15).sum()


def test_ids_outside_of_named_classes_are_told_by_their_kind(tmp_path):
    write(tmp_path, [through_jpeg(mask) for mask in black_and_white()])
    with pytest.raises(ValueError, match=r"smoothed or JPEG.*--set 'data.values"):
        datasets.check(datasets.folder(tmp_path, classes=2))
    write(tmp_path / "cells", [numbered(60)] * 2)
    with pytest.raises(ValueError, match="these are objects"):
        datasets.check(datasets.folder(tmp_path / "cells", classes=2))


def test_classes_stay_classes(tmp_path, rng):
    # Ten classes of several regions each, 0 to 9 and 255; and noise of two classes.
    many = np.digitize(cv2.blur(rng.random([64, 80]), (9, 9)), np.linspace(0.4, 0.6, 9))
    ignored = np.where(disk(30, 30, 8), 255, many).astype("uint8")
    write(tmp_path / "a", [many.astype("uint8"), ignored])
    assert len(datasets.folder(tmp_path / "a").classes) == 10
    write(tmp_path / "b", [(rng.random([64, 80]) > 0.5).astype("uint8")] * 2)
    assert len(datasets.folder(tmp_path / "b").classes) == 2
    write(tmp_path / "c", [numbered(n) for n in (3, 5, 4)])  # five shapes, once each
    assert len(datasets.folder(tmp_path / "c").classes) == 6
    write(tmp_path / "d", [data.camera()[::8, ::8][:64, :64]] * 0 + [numbered(60)] * 2)
    assert len(datasets.folder(tmp_path / "d", classes=61).classes) == 61


def test_a_mask_of_three_nearly_equal_channels_is_grey_with_values(tmp_path):
    mask = through_jpeg(cv2.merge([black_and_white()[0]] * 3))
    mask[..., 0] = np.clip(mask[..., 0].astype(int) + 3, 0, 255)
    Image.fromarray(mask).save(tmp_path / "a.png")
    found = read_mask(tmp_path / "a.png", values={"0-127": 0, "128-255": 1})
    np.testing.assert_array_equal(found, mask[..., 1] > 127)


def test_numbers_above_16_bits_mark_objects_too():
    label = np.array([[0, 70000, 70000], [90000, 0, 0]])
    assert mask_kinds.marks_objects(label) == (70000, 90000)
    assert mask_kinds.marks_objects(np.pad(label, [(0, 0), (0, 3)], mode="wrap")) == ()
    assert mask_kinds.marks_objects(label[:0]) is None
