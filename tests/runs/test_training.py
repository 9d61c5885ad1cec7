"""The main job as a user runs it, small."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from kerasseg.cli import main
from kerasseg.images import write_image, write_mask
from kerasseg.runs import folder
from tests.runs.small import SETTINGS


def test_a_run_folder_holds_everything(run):
    for name in (
        "recipe.toml",
        "run.json",
        "split.json",
        "history.jsonl",
        "curves.png",
        "samples.png",
        "confusion.png",
        "results.json",
        "best.weights.h5",
    ):
        assert (run / name).stat().st_size > 0, name
    assert len(list((run / "checkpoints").iterdir())) >= 1
    assert {path.name for path in run.iterdir()} <= folder.FILES


def test_results_say_what_a_number_needs(run):
    results = json.loads((run / "results.json").read_text())
    assert 0 <= results["mean_iou"] <= 1
    assert list(results["classes"]) == ["background", "disc", "square", "triangle"]
    assert results["seeds"] == [0]
    assert results["environment"]["versions"]["keras"]
    assert results["training"]["steps"] == 4


@pytest.mark.slow
def test_a_run_does_not_go_on_with_other_data(tmp_path, capsys):
    folders = [tmp_path / name for name in ("one", "moved", "two")]
    for root, count in zip(folders, (6, 6, 8)):
        for index in range(count):
            image = np.full((32, 32, 3), 30 * index + 1, np.uint8)
            write_image(root / "images" / f"{index}.png", image)
            write_mask(root / "labels" / f"{index}.png", index % 2 + 0 * image[..., 0])
    options = [
        *("--set", "augment.size=[32, 32]", "--set", "model.base_filters=2"),
        *("--set", "train.epochs=1", "--set", "train.batch_size=2"),
        *("--set", "optimizer.name=sgd", "--set", "train.precision=float32"),
    ]
    command = ["train", "--out", str(tmp_path / "run"), *options, "--data"]
    assert main([*command, str(folders[0])]) == 0
    assert main([*command, str(folders[1])]) == 0
    assert main([*command, str(folders[2])]) == 1
    assert "run on other data" in capsys.readouterr().err


def test_too_little_memory_says_which_setting_to_lower(tmp_path, monkeypatch, capsys):
    def exhausted(*arguments, **options):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating\nmore")

    monkeypatch.setattr("kerasseg.training.fit", exhausted)
    assert main(["train", "--out", str(tmp_path / "run"), *SETTINGS]) == 1
    message = capsys.readouterr().err
    assert "--set train.accumulate=2" in message and "batch_size=8" in message


def test_the_same_command_again_ends_at_once_with_the_same_result(run, capsys):
    before = json.loads((run / "results.json").read_text())
    assert main(["train", "--out", str(run), "--json", *SETTINGS]) == 0
    assert json.loads(capsys.readouterr().out)["matrix"] == before["matrix"]


def test_another_recipe_in_the_same_folder_is_refused_with_the_difference(run, capsys):
    assert main(["train", "--out", str(run), *SETTINGS, "--set", "train.seed=5"]) == 1
    assert "[train] seed: 0 there, 5 now" in capsys.readouterr().err


def test_a_run_that_cannot_begin_leaves_no_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    sides = ["--set", "data.train=train", "--set", "data.val=val"]
    assert main(["train", "--set", "data.dataset=camvid", *sides]) == 2
    assert "--data ROOT" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("script", ["train", "evaluate", "predict", "export"])
def test_scripts_say_what_they_do(script, request):
    path = request.config.rootpath / "scripts" / f"{script}.py"
    answer = subprocess.run(
        [sys.executable, path, "--help"], capture_output=True, text=True, check=True
    )
    assert "usage: kerasseg " + script in answer.stdout
