"""Pictures of five bands through every command, as the README promises."""

import json

import cv2
import numpy as np
import pytest
import tensorflow as tf
import tifffile

from kerasseg.cli import main
from kerasseg.images import read_mask, write_mask

SMALL = ["data.channels=5", "model.base_filters=2", "train.epochs=1"]
SMALL += ["train.steps_per_epoch=2", "augment.size=[16, 16]", "train.batch_size=2"]
SMALL += ["optimizer.name=sgd", "train.precision=float32"]  # quickly traced
SETTINGS = [part for text in SMALL for part in ("--set", text)]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("bands")
    (root / "images").mkdir()
    rng = np.random.default_rng(0)
    for number in range(6):
        image = rng.integers(0, 65536, [20, 24, 5]).astype("uint16")
        tifffile.imwrite(
            root / f"images/{number}.tif",
            image,
            photometric="minisblack",
            planarconfig="contig",
        )
        write_mask(root / f"labels/{number}.png", image[..., 4] > 32767)
    return root


@pytest.fixture(scope="module")
def run(root):
    run = root / "run"
    assert main(["train", "--data", str(root), "--out", str(run), *SETTINGS]) == 0
    return run


def test_other_channels_than_the_files_have_are_answered_with_the_fix(root, capsys):
    assert main(["check-data", "--data", str(root)]) == 1
    assert "--set 'data.channels=5'" in capsys.readouterr().err


def test_bands_are_checked(root, capsys):
    assert main(["check-data", "--data", str(root), "--json", *SETTINGS[:2]]) == 0
    assert json.loads(capsys.readouterr().out)["train"]["channels"] == {"5": 5}


@pytest.mark.slow
def test_bands_are_trained_evaluated_and_predicted(run, root, tmp_path, capsys):
    assert json.loads((run / "run.json").read_text())["channels"] == 5
    out = ["--out", str(tmp_path)]
    assert main(["evaluate", "--run", str(run), "--split", "train", *out]) == 0
    assert main(["predict", str(root / "images"), "--run", str(run), *out]) == 0
    assert read_mask(tmp_path / "masks/0.png").shape == (20, 24)
    assert cv2.imread(str(tmp_path / "overlays/0.png")).shape[2] == 3


@pytest.mark.slow
def test_pictures_show_the_bands_that_are_chosen(run, root, tmp_path, capsys):
    picture = [str(root / "images/0.tif"), "--run", str(run), "--out", str(tmp_path)]
    assert main(["predict", *picture, "--bands", "4,2,0"]) == 0
    assert (tmp_path / "overlays/0.png").exists()
    assert main(["predict", *picture, "--bands", "5,2,0"]) == 1
    assert "0..4" in capsys.readouterr().err
    assert main(["predict", *picture, "--bands", "1,2"]) == 1
    assert "picture_bands is --bands" in capsys.readouterr().err


@pytest.mark.slow
def test_bands_are_exported(run, tmp_path):
    assert main(["export", "--run", str(run), "--out", str(tmp_path)]) == 0
    (folder,) = [path.parent for path in tmp_path.rglob("saved_model.pb")]
    served = tf.saved_model.load(str(folder))
    image = tf.zeros([1, 20, 24, 5], "uint8")
    found = served.signatures["serving_default"](image)
    assert found["class_ids"].shape == (1, 20, 24)
    about = json.loads((folder / "kerasseg.json").read_text())["input"]
    assert about["channels"] == 5 and about["data_range"] == [0, 65535]
    command = ["export", "--run", str(run), "--out", str(tmp_path), "--format", "keras"]
    assert main(command) == 0
    (beside,) = tmp_path.glob("*.keras.json")
    assert json.loads(beside.read_text())["input"] == about
