"""The command line as a stranger uses it: bad files, and advice that can be pasted."""

import argparse
import json
import re
import shlex

import numpy as np
import pytest
import tifffile

from kerasseg import runs
from kerasseg.cli import errors, main
from kerasseg.images import write_image
from kerasseg.training.checkpoints import CheckpointError

FORMS = {
    "0 and 255": lambda mask: mask * np.uint8(255),
    "colours": lambda mask: np.stack([mask * np.uint8(200), 0 * mask, 0 * mask], -1),
    "ids to 1000": lambda mask: mask * np.uint16(1000),
}


def write_data(root, mask_of=lambda mask: mask, num=6):
    """Folder of `num` images, black above and white below, and their masks."""
    mask = np.repeat(np.array([0, 1], "uint8"), 16)[:, None].repeat(32, 1)
    for number in range(num):
        image = np.repeat(mask[..., None], 3, -1) * np.uint8(200)
        write_image(root / f"images/{number}.png", image)
        write_image(root / f"labels/{number}.png", mask_of(mask))
    return root


@pytest.mark.parametrize("form", FORMS)
def test_advice_can_be_pasted(tmp_path, capsys, form):
    root = write_data(tmp_path, FORMS[form])
    command = ["check-data", "--data", str(root)]
    assert main(command) == 1
    advice = re.search(r"(--set '[^']*')", capsys.readouterr().err)
    assert main([*command, *shlex.split(advice[1]), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert list(report["train"]["pixels"].values())[:2] == [512 * 5] * 2


def test_masks_that_need_no_advice_get_none(tmp_path, capsys):
    assert main(["check-data", "--data", str(write_data(tmp_path)), "--json"]) == 0
    assert "command line" not in capsys.readouterr().err


def test_check_data_reads_every_file_and_lists_all_bad_ones(tmp_path, capsys):
    root = write_data(tmp_path, num=10)
    for number in (2, 5, 7):
        (root / f"labels/{number}.png").write_bytes(b"no image")
    assert main(["check-data", "--data", str(root)]) == 1
    printed = capsys.readouterr()
    assert "3 files that cannot be read" in printed.out
    assert "2.png, 5.png, 7.png" in printed.out
    assert main(["check-data", "--data", str(root), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert sum(len(report[side]["failed"]) for side in ("train", "val")) == 3


def test_a_bad_picture_costs_itself_only_in_classical(tmp_path, capsys):
    root = write_data(tmp_path, num=2)
    (root / "images/bad.png").write_bytes(b"no image")
    command = [
        "classical",
        "kmeans",
        str(root),
        "--out",
        str(tmp_path / "out"),
        "--json",
    ]
    assert main(command) == 3
    report = json.loads(capsys.readouterr().out)
    counts = [len(report[key]) for key in ("images", "failed", "skipped")]
    assert counts == [2, 1, 2]
    assert (tmp_path / "out/images/0.png").is_file()
    (tmp_path / "file").write_text("")
    assert main([*command[:4], str(tmp_path / "file")]) == 1
    assert "The output must be a folder" in capsys.readouterr().err


def test_a_damaged_checkpoint_ends_with_a_sentence_and_code_1(monkeypatch, capsys):
    def train(*arguments, **options):
        raise CheckpointError("run/step-3.ckpt is damaged. Delete it.")

    monkeypatch.setattr(runs, "train", train)
    assert main(["train", "--json"]) == 1
    assert (
        capsys.readouterr().err == "kerasseg: run/step-3.ckpt is damaged. Delete it.\n"
    )


@pytest.mark.parametrize("recipe", ["a\0b", "\ud800", "."])
def test_a_recipe_that_is_no_file_ends_with_code_2(
    recipe, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert main(["train", recipe]) == 2
    assert "recipe" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_called_that(tmp_path, capsys):
    command = ["convert", str(tmp_path / "nope.json"), "--to", "labels", "--out", "x"]
    assert main(command) == 1
    assert "Received: no such file" in capsys.readouterr().err


def test_nul_in_a_path_is_called_that(capsys):
    assert main(["classical", "slic", "a.png", "--out", "x\0y"]) == 1
    told = r"kerasseg: A path must not hold the character NUL. Received: ['x\x00y']."
    assert told in capsys.readouterr().err


def test_an_unknown_format_of_files_ends_with_code_2_and_the_nearest(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["export", "--format", "onnxx"])
    assert stop.value.code == 2
    assert "Did you mean 'onnx'?" in capsys.readouterr().err


def test_pages_get_no_advice_that_the_command_does_not_take(tmp_path, capsys):
    pages = np.zeros([5, 16, 16], "uint8")
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="minisblack", metadata=None)
    command = [str(tmp_path / "a.tif"), "--out", str(tmp_path / "out")]
    assert main(["classical", "kmeans", *command]) == 1
    said = capsys.readouterr().err
    assert "5 frames or pages" in said and "a .npy file." in said
    assert "--set" not in said and "channels=" not in said


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ("Say so: values={0: 0} (command line: --set 'data.values={0: 0}').", 9),
        ("Save it, or read all of them: channels=5 (--set 'data.channels=5').", 7),
        ("Fill them. boxes=fill makes rectangles (--set data.boxes=fill).", 38),
        ("In training --set 'data.value_range=[0,1]'.", 42),
    ],
)
def test_advice_is_left_out_where_there_is_no_such_flag(message, left):
    told = errors.told(argparse.Namespace(), message)
    assert told[:left] == message[:left]
    assert ("(" not in told) and told.endswith(".")
    assert errors.told(argparse.Namespace(set=[]), message) == message
