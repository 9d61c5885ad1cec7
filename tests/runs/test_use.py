"""Runs and published weights, used: evaluated, predicted with, exported."""

import json
import re
import shutil

import cv2
import numpy as np
import pytest

from benchmarks import crf_table
from kerasseg import evaluate, predict, recipes, runs
from kerasseg.cli import main
from kerasseg.images import read_image, read_mask, write_image
from kerasseg.runs import folder


def test_evaluate_writes_results_of_another_split(run, tmp_path, capsys):
    code = main(
        ["evaluate", "--run", str(run), "--split", "train", "--out", str(tmp_path)]
    )
    assert code == 0
    assert "pixel accuracy" in capsys.readouterr().out
    assert json.loads((tmp_path / "results.json").read_text())["split"] == "train"


def test_results_of_another_split_do_not_pass_for_those_of_validation(run, tmp_path):
    run = shutil.copytree(run, tmp_path / "run")
    before = (run / "results.json").read_text()
    runs.evaluate(run, split="train")
    assert (run / "results.json").read_text() == before
    other = json.loads((run / "evaluations/train/results.json").read_text())
    assert other["split"] == "train"


def test_a_second_evaluation_keeps_what_is_known_of_the_training(run, tmp_path):
    before = json.loads((run / "results.json").read_text())["training"]
    assert before["steps"] > 0
    runs.evaluate(run, split="train", out=tmp_path)
    assert json.loads((tmp_path / "results.json").read_text())["training"] == before


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
    assert 0 < results["calibration"]["num_images"] <= 32
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


def test_predict_fails_when_no_image_can_be_read(run, tmp_path, capsys):
    (tmp_path / "broken.png").write_bytes(b"no image")
    bad = str(tmp_path / "broken.png")
    assert main(["predict", bad, "--run", str(run), "--out", str(tmp_path)]) == 1
    assert "broken.png" in capsys.readouterr().err


def test_export_writes_a_saved_model(run, tmp_path):
    out = tmp_path / "exported"
    assert main(["export", "--run", str(run), "--out", str(out)]) == 0
    assert list(out.rglob("saved_model.pb"))


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
