"""The main job as a user runs it, small."""

import json
import re
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest
import tensorflow as tf

from benchmarks import crf_table
from kerasseg import evaluate, predict, recipes, runs
from kerasseg.cli import main
from kerasseg.images import read_image, read_mask, write_image, write_mask
from kerasseg.runs import folder

SMALL = [
    "data.train={num=16, size=32, seed=1}",
    "data.val={num=4, size=32, seed=2}",
    "augment.size=[32, 32]",
    "model.base_filters=4",
    "train.epochs=2",
    "train.steps_per_epoch=2",
    "train.batch_size=8",
]
SETTINGS = [part for text in SMALL for part in ("--set", text)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("job") / "run"
    assert main(["train", "--out", str(out), *SETTINGS]) == 0
    return out


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


def test_a_run_does_not_go_on_with_other_data(tmp_path, capsys):
    folders = [tmp_path / name for name in ("one", "moved", "two")]
    for root, count in zip(folders, (6, 6, 8)):
        for index in range(count):
            image = np.full((32, 32, 3), 30 * index + 1, np.uint8)
            write_image(root / "images" / f"{index}.png", image)
            write_mask(root / "labels" / f"{index}.png", index % 2 + 0 * image[..., 0])
    options = [
        *("--set", "augment.size=[32, 32]", "--set", "model.encoder=tiny"),
        *("--set", "train.epochs=1", "--set", "train.batch_size=2"),
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


def test_evaluate_writes_results_of_another_split(run, tmp_path, capsys):
    code = main(
        ["evaluate", "--run", str(run), "--split", "train", "--out", str(tmp_path)]
    )
    assert code == 0
    assert "pixel accuracy" in capsys.readouterr().out
    assert json.loads((tmp_path / "results.json").read_text())["split"] == "train"


def test_evaluate_reads_other_data_by_the_fix_that_it_prints(run, tmp_path, capsys):
    mask = np.repeat(np.array([0, 255], "uint8"), 16)[:, None].repeat(32, 1)
    for number in range(4):
        write_image(tmp_path / f"images/{number}.png", np.stack([mask] * 3, -1))
        write_image(tmp_path / f"labels/{number}.png", mask)
    command = ["evaluate", "--run", str(run), "--data", str(tmp_path)]
    command += ["--out", str(tmp_path / "out"), "--format", "folder"]
    assert main(command) == 1
    advice = re.search(r"--set '(data.values=[^']*)'", capsys.readouterr().err)
    command += ["--set", 'data.classes=["background", "disc"]']
    with pytest.warns(UserWarning, match="no foreground to score"):
        assert main(command) == 0
    assert main([*command, "--set", advice[1]]) == 0
    results = json.loads((tmp_path / "out/results.json").read_text())
    assert np.sum(results["matrix"], 1).tolist()[2:] == [0, 0]
    assert main([*command, "--set", "train.epochs=5"]) == 2
    assert "can change [data] only. Received: train" in capsys.readouterr().err


def test_predict_writes_masks_of_the_image_s_size(run, tmp_path):
    photo = np.random.default_rng(0).integers(0, 256, (37, 53, 3)).astype("uint8")
    cv2.imwrite(str(tmp_path / "photo.png"), photo)
    (tmp_path / "broken.png").write_bytes(b"no image")
    out = tmp_path / "out"
    assert main(["predict", str(tmp_path), "--run", str(run), "--out", str(out)]) == 3
    masks = list((out / "masks").iterdir())
    assert len(masks) == 1
    assert cv2.imread(str(masks[0])).shape[:2] == (37, 53)


def test_predict_refines_by_a_crf_when_asked(run, tmp_path):
    photo = np.random.default_rng(0).integers(0, 256, (37, 53, 3)).astype("uint8")
    path = tmp_path / "photo.png"
    write_image(path, photo)
    arguments = ["predict", str(path), "--run", str(run), "--out", str(tmp_path)]
    assert main([*arguments, "--crf"]) == 0
    model, _, _ = folder.load(run)
    expected = predict.class_ids(model, photo, refine="crf")
    np.testing.assert_array_equal(read_mask(tmp_path / "masks/photo.png"), expected)


def test_the_crf_table_scores_a_run_before_and_after(run, tmp_path):
    """benchmarks/crf_table.py on the run of this file: what it writes, not how good."""
    counts = {"num_train": 3, "num_val": 2}
    answer = crf_table.main(run, None, tmp_path, **counts, iterations=2, tolerance_px=2)
    assert answer == json.loads((tmp_path / "crf.json").read_text())
    tried = [row["mean_iou"] for row in answer["choice"]["tried"][1:]]
    parameters = {k: v for k, v in answer["parameters"].items() if k != "iterations"}
    assert {**parameters, "mean_iou": max(tried)} in answer["choice"]["tried"]
    model, recipe, _ = folder.load(run)
    val = recipes.build_samples(recipe, None, "val").subset([0, 3])
    expected = evaluate.score(model, val)["mean_iou"]
    assert answer["val"]["before"]["mean_iou"] == pytest.approx(expected)
    assert read_image(tmp_path / "crf.png").shape == (2 * 32, 4 * 32, 3)


def test_predict_fails_when_no_image_can_be_read(run, tmp_path, capsys):
    (tmp_path / "broken.png").write_bytes(b"no image")
    bad = str(tmp_path / "broken.png")
    assert main(["predict", bad, "--run", str(run), "--out", str(tmp_path)]) == 1
    assert "broken.png" in capsys.readouterr().err


def test_export_writes_a_saved_model(run, tmp_path):
    out = tmp_path / "exported"
    assert main(["export", "--run", str(run), "--out", str(out)]) == 0
    assert list(out.rglob("saved_model.pb"))


def test_a_folder_that_is_no_run_is_named_with_the_fix(tmp_path, capsys):
    assert main(["evaluate", "--run", str(tmp_path)]) == 1
    assert "best.weights.h5" in capsys.readouterr().err


def test_a_run_that_cannot_begin_leaves_no_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    sides = ["--set", "data.train=train", "--set", "data.val=val"]
    assert main(["train", "--set", "data.dataset=camvid", *sides]) == 2
    assert "--data ROOT" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_second_run_gets_a_number_and_a_crashed_one_goes_on(run, tmp_path):
    recipe = recipes.read(run / "recipe.toml")
    assert folder.choose_folder(None, recipe, "never") == folder.RUNS / "never"
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    shutil.copy(run / "recipe.toml", crashed)
    assert folder.choose_folder(crashed, recipe, "x") == crashed
    recipe["loss"] = recipe["loss"][:1]
    with pytest.raises(runs.RunError, match=r"\[loss\] name: 'Dice' there, None now"):
        folder.choose_folder(crashed, recipe, "x")


def test_a_folder_with_other_files_is_not_written_to(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("precious")
    assert main(["train", "--out", str(tmp_path), *SETTINGS]) == 1
    assert "other files" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_wrong_recipe_exits_with_2_and_json_carries_the_error(capsys):
    assert main(["train", "--json", "--set", "train.epochz=1"]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert "Did you mean 'epochs'" in answer["error"]


def test_list_and_info_answer_in_json(capsys):
    assert main(["list", "--json"]) == 0
    assert "unet" in json.loads(capsys.readouterr().out)["zoo"]
    assert main(["info", "unet", "--encoder", "resnet34", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["trainable_parameters"] == 24439269
    assert main(["info", "resnet18", "--json", "--size", "64"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["trainable_parameters"] == 11176512
    assert facts["imagenet_weights"] == "torchvision"
    assert facts["taps"]["c5"] == 512
    assert "1512.03385" in facts["encoder_reference"]
    options = ["--encoder", "tiny", "--size", "64", "--json"]
    assert main(["info", "yolact", *options]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert "1904.02689" in facts["reference"]
    assert facts["taps"]["c5"] == 40
    assert main(["info", "stardist", *options]) == 0
    assert json.loads(capsys.readouterr().out)["num_classes"] is None


def test_info_reads_as_text(capsys):
    assert main(["info", "yolact", "--encoder", "tiny", "--size", "64"]) == 0
    text = capsys.readouterr().out
    assert "taps: c1 " in text and "encoders: convnext_base, " in text
    assert not any(code in text for code in ("[", "{", "None"))


def test_the_newest_run_is_the_default(run, monkeypatch):
    monkeypatch.setattr(runs.folder, "RUNS", run.parent)
    assert runs.find() == run


@pytest.mark.parametrize("script", ["train", "evaluate", "predict", "export"])
def test_scripts_say_what_they_do(script, request):
    path = request.config.rootpath / "scripts" / f"{script}.py"
    answer = subprocess.run(
        [sys.executable, path, "--help"], capture_output=True, text=True, check=True
    )
    assert "usage: kerasseg " + script in answer.stdout
