"""`kerasseg check-data` as a person and as a program read it."""

import json
import shlex
import subprocess
import sys

import cv2
import numpy as np
import pytest
import tifffile

from kerasseg.cli import main
from kerasseg.images import read_image, read_mask, write_image


@pytest.fixture
def root(tmp_path, rng, monkeypatch):
    """Twenty images with masks of 0 and 255, three without a mask."""
    monkeypatch.chdir(tmp_path)
    for number in range(20):
        fine = cv2.resize(rng.normal(120, 40, [24, 32, 3]), (128, 96))
        write_image(tmp_path / f"data/images/{number:02d}.png", fine.astype("uint8"))
        mask = np.zeros([96, 128], "uint8")
        mask[10:50, number : 40 + number] = 255
        if number > 2:
            write_image(tmp_path / f"data/labels/{number:02d}.png", mask)
    return tmp_path / "data"


def test_everything_wrong_is_told_at_once_and_mended(root, capsys):
    assert main(["check-data", "--data", str(root), "--fix", "mended"]) == 1
    told = capsys.readouterr().out
    assert "3 images without a mask: 00.png, 01.png, 02.png." in told
    assert "17 masks of only 0 and 255, and 255 means ignored" in told
    assert "--set 'data.values={0: 0, 255: 1}'" in told
    assert told.count("\n") < 40
    assert read_image("data.png").shape[0] > 300
    assert main(["check-data", "--data", "mended", "--sheet", "mended.png"]) == 0
    told = capsys.readouterr().out
    assert "17 images" in told and "Nothing that would spoil the training" in told
    assert "class 1" in told


def test_the_command_of_a_copy_can_be_pasted(root, capsys):
    folder = root.rename(root.parent / "my data")
    assert main(["check-data", "--data", str(folder)]) == 1
    told = capsys.readouterr().out
    command = told.split("A corrected copy: ")[1].splitlines()[0]
    _, *words = shlex.split(command)
    assert main([*words, "--sheet", "again.png"]) == 1
    told = capsys.readouterr().out
    command = told.split("Next: ")[1].splitlines()[0]
    assert main([*shlex.split(command)[1:], "--sheet", "next.png"]) == 0


def test_a_copy_without_objects_says_what_is_not_mended(root, capsys):
    for path in (root / "labels").iterdir():
        write_image(path, np.zeros([96, 128], "uint8"))
    assert main(["check-data", "--data", str(root), "--fix", "mended"]) == 1
    told = capsys.readouterr().out
    assert "not mended: No mask holds anything but the background" in told


def test_a_program_reads_findings(root, capsys):
    assert main(["check-data", "--data", str(root), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["exit_code"] == 1 and report["format"]["name"] == "folder"
    kinds = {one["kind"]: one for one in report["findings"]}
    assert kinds["no label"]["names"] == ["00.png", "01.png", "02.png"]
    assert kinds["black and white"]["severity"] == "fault"


def test_grey_levels_are_mapped_in_the_copy(root, capsys):
    for number in range(20):
        mask = np.zeros([96, 128], "uint8")
        mask[10:50, number : 40 + number] = 128
        mask[60:90, number : 40 + number] = 255
        write_image(root / f"labels/{number:02d}.png", mask)
    assert main(["check-data", "--data", str(root), "--json", "--fix", "mended"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert [one["kind"] for one in findings if one["severity"] == "fault"] == [
        "grey levels"
    ]
    assert main(["check-data", "--data", "mended", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    # 40 x 40 pixels of 128 and 30 x 40 of 255 in each of 20 masks.
    pixels = [row["pixels"] for row in report["classes"].values()]
    assert pixels[1:] == [20 * 1600, 20 * 1200]


def test_pages_of_stacks_are_mended(tmp_path, monkeypatch, rng, capsys):
    monkeypatch.chdir(tmp_path)
    pages = rng.integers(0, 255, [10, 40, 50], dtype="uint8")
    masks = np.zeros([10, 40, 50], "uint8")
    masks[:, 5:20, 10:40] = 255
    (tmp_path / "data").mkdir()
    tifffile.imwrite("data/train-volume.tif", pages)
    tifffile.imwrite("data/train-labels.tif", masks)
    assert main(["check-data", "--data", "data", "--fix", "mended"]) == 1
    told = capsys.readouterr().out
    assert "10 masks of only 0 and 255" in told
    assert "--set 'data.values={0: 0, 255: 1}'" in told
    assert main(["check-data", "--data", "mended", "--json"]) == 0
    for number in range(10):
        name = f"train-volume/{number:04d}.png"
        assert np.array_equal(
            read_image(f"mended/images/{name}", channels=1)[..., 0], pages[number]
        )
        assert np.array_equal(read_mask(f"mended/labels/{name}"), masks[number] // 255)


@pytest.mark.parametrize("listed", [True, False])
def test_masks_that_are_not_sharp_take_the_colours_of_their_table(root, capsys, listed):
    """A colour that the table lacks is no mixture of others, but told."""
    colors = np.array([[0, 0, 0], [200, 30, 0], [0, 90, 200]], "uint8")
    rows = ["name,r,g,b", "ground,0,0,0", "cat,200,30,0", "dog,0,90,200"]
    (root / "class_dict.csv").write_text("\n".join(rows[: 4 if listed else 3]))
    for number in range(20):
        mask = np.zeros([96, 128], int)
        mask[10:50, number : 40 + number], mask[60:90, 50:90] = 1, 2
        blurred = cv2.blur(colors[mask], (3, 3))
        write_image(root / f"labels/{number:02d}.png", blurred)
    command = ["check-data", "--data", str(root), "--json", "--fix", "mended"]
    assert main(command) == 1
    report = json.loads(capsys.readouterr().out)
    (one,) = [x for x in report["findings"] if x["severity"] == "fault"]
    assert one["kind"] == ("blurred colours" if listed else "unknown colours")
    if listed:
        assert main(["check-data", "--data", "mended", "--json"]) == 0
        report = json.loads(capsys.readouterr().out)
        assert list(report["classes"]) == ["ground", "cat", "dog"]
        found = read_mask("mended/labels/19.png")
        assert (found == mask).mean() > 0.998  # corners are rounded
    else:
        assert "(0, 90, 200)" in one["text"]


@pytest.mark.parametrize("slip", [False, True])
def test_masks_of_voc_are_looked_at_as_they_are(root, capsys, slip):
    """Black and white ones, and a number that few have."""
    (root / "images").rename(root / "JPEGImages")
    (root / "labels").rename(root / "SegmentationClass")
    for number in range(20):
        mask = np.zeros([96, 128], "uint8")
        mask[10:50, number : 40 + number] = 1 if slip else 255
        mask[0, 0] = 77 if slip and number == 7 else 0
        write_image(root / f"SegmentationClass/{number:02d}.png", mask)
    command = ["check-data", "--data", str(root), "--json", "--fix", "mended"]
    assert main(command) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["format"]["name"] == "voc"
    (one,) = [x for x in report["findings"] if x["severity"] == "fault"]
    assert one["kind"] == ("ids" if slip else "black and white")
    assert main(["check-data", "--data", "mended", "--json"]) == 0
    found = read_mask("mended/labels/07.png")
    assert found[20, 30] == 1 and found[0, 0] == (255 if slip else 0)
    if not slip:  # as it says
        command[3:] = ["--set", "data.values={0: 0, 255: 1}", "--json"]
        assert main(command) == 0


def test_masks_of_classes_that_are_not_sharp_are_cut_as_advised(root, capsys):
    masks = (root / "labels").rename(root / "masks")
    for kind in ("cat", "dog"):
        (masks / kind).mkdir()
    for path in masks.glob("*.png"):
        path.unlink()
    for number in range(20):
        mask = np.zeros([96, 128], "uint8")
        mask[10:50, number : 40 + number] = 255
        blurred = cv2.blur(mask, (3, 3))
        write_image(masks / f"cat/{number:02d}.png", blurred)
        write_image(masks / f"dog/{number:02d}.png", blurred[::-1])
    command = ["check-data", "--data", str(root), "--json"]
    assert main(command) == 1
    told = capsys.readouterr().err
    assert (fix := 'data.values={"0-127": 0, "128-255": 1}') in told
    assert main([*command, "--set", fix]) == 0


def test_findings_are_told_where_nothing_can_be_mended(root, capsys):
    for path in sorted((root / "labels").glob("*.png")):
        path.write_bytes(path.read_bytes()[:60])
    assert main(["check-data", "--data", str(root), "--json", "--fix", "mended"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert {"unreadable", "no label"} <= {one["kind"] for one in report["findings"]}
    assert "a sample that can be mended" in report["fixed"]["error"]


def test_white_among_several_classes_is_not_guessed(root, capsys):
    for number in range(20):
        mask = np.full([96, 128], number % 2 + 1, "uint8")
        mask[:40] = 0
        write_image(root / f"labels/{number:02d}.png", mask)
    write_image(root / "labels/07.png", np.uint8(mask > 0) * 255)
    assert main(["check-data", "--data", str(root), "--json"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    (one,) = [one for one in findings if one["kind"] == "black and white"]
    assert one["names"] == ["07"] and one["fix"].startswith("Export them again")


def test_specks_of_a_class_map_are_no_small_objects(root, capsys, rng):
    for number in range(20):
        mask = np.zeros([96, 128], "uint8")
        mask[30:90, number : 60 + number] = 1
        mask[:20:4, :60:4] = 1  # 75 pixels, each a region
        write_image(root / f"labels/{number:02d}.png", mask)
    assert main(["check-data", "--data", str(root), "--json"]) == 0
    kinds = {x["kind"] for x in json.loads(capsys.readouterr().out)["findings"]}
    assert "small objects" not in kinds and "object sizes" in kinds


def test_tensorflow_is_not_waited_for(root):
    code = (
        "import sys; from kerasseg.cli import main\n"
        "assert main(['check-data', '--data', sys.argv[1]]) == 1\n"
        "assert main(['show', '--data', sys.argv[1], '--format', 'folder', '--set',"
        " 'data.values={0: 0, 255: 1}']) == 1\n"  # three images have no mask
        "assert not {'tensorflow', 'keras'} & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", code, str(root)], check=True)
