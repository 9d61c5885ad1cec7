"""An instance recipe as a user runs it, small."""

import json
import os
import signal

import cv2
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import training
from kerasseg.cli import main
from kerasseg.images import read_image, write_image, write_mask
from kerasseg.training import checkpoints
from kerasseg.training.history import History

RECIPE = """
[model]
architecture = "center_mask"
encoder = "tiny"
filters = 16
head_filters = 16
shape_size = 8
num_detections = 8

[data]
dataset = "shapes"
train = {num = 16, size = 64, seed = 1}
val = {num = 3, size = 64, seed = 2}

[augment]
size = [64, 64]
scale = [0.8, 1.25]

[train]
epochs = 2
steps_per_epoch = 2
batch_size = 4
max_objects = 6
precision = "float32"

[optimizer]
name = "sgd"

[predict]
zoom = 2.0
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("job")
    (folder / "recipe.toml").write_text(RECIPE)
    out = folder / "run"
    assert main(["train", str(folder), "--out", str(out)]) == 0
    return out


def test_a_run_folder_holds_results_and_pictures(run):
    names = {path.name for path in run.iterdir()}
    assert {"results.json", "best.weights.h5", "samples.png", "curves.png"} <= names
    assert "confusion.png" not in names  # there is none for objects
    results = json.loads((run / "results.json").read_text())
    assert 0 <= results["mask_ap"] <= 1 and 0 <= results["label_ap"] <= 1
    assert list(results["classes"]) == ["disc", "square", "triangle"]
    assert results["settings"]["zoom"] == 2.0
    assert results["training"]["steps"] == 4 and results["seeds"] == [0]


def test_terms_and_scores_stand_in_the_history(run):
    rows = History(run / "history.jsonl").rows()
    assert [row["kind"] for row in rows] == ["epoch", "epoch"]
    for row in rows:
        terms = [row[f"loss_{x}"] for x in ("centers", "sizes", "offsets", "masks")]
        assert row["loss"] == pytest.approx(sum(terms), rel=1e-4)
        assert {"mask_ap", "box_ap", "pq", "aji"} <= set(row)
    assert rows[0]["is_best"]


def test_the_same_command_again_ends_at_once_with_the_same_result(run, capsys):
    before = json.loads((run / "results.json").read_text())
    assert main(["train", str(run.parent), "--out", str(run), "--json"]) == 0
    after = json.loads(capsys.readouterr().out)
    for key in ("mask_ap", "label_ap", "pq", "samples"):
        assert after[key] == before[key]


@pytest.mark.slow
def test_an_interrupted_training_goes_on_bit_by_bit(run, tmp_path, monkeypatch):
    step, calls = training.TrainStep.__call__, []

    def interrupted(self, *batch):
        calls.append(batch)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return step(self, *batch)

    monkeypatch.setattr(training.TrainStep, "__call__", interrupted)
    command = ["train", str(run.parent), "--out", str(tmp_path / "run")]
    assert main(command) == 130
    monkeypatch.undo()
    assert main(command) == 0
    folders = [run / "checkpoints", tmp_path / "run" / "checkpoints"]
    whole, resumed = (checkpoints.read(checkpoints.latest(x)) for x in folders)
    assert len(calls) == 3 and whole.step == resumed.step == 4
    assert list(whole.arrays) == list(resumed.arrays)
    for name, array in whole.arrays.items():
        np.testing.assert_array_equal(resumed.arrays[name], array, err_msg=name)


def test_data_without_instances_are_refused_before_a_folder_is_made(tmp_path, capsys):
    (tmp_path / "recipe.toml").write_text(RECIPE)
    for index in range(6):
        image = np.full((64, 64, 3), 30 * index + 1, np.uint8)
        write_image(tmp_path / f"data/images/{index}.png", image)
        write_mask(tmp_path / f"data/labels/{index}.png", np.eye(64, dtype=int))
    command = ["train", str(tmp_path), "--data", str(tmp_path / "data")]
    for option in ("dataset=folder", "train=train", "val=val"):
        command += ["--set", f"data.{option}"]
    assert main([*command, "--out", str(tmp_path / "run")]) == 1
    assert "needs samples with instances" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_evaluate_prints_a_table_and_refuses_flips(run, tmp_path, capsys):
    command = ["evaluate", "--run", str(run), "--out", str(tmp_path)]
    assert main([*command, "--split", "train"]) == 0
    assert "mask AP" in capsys.readouterr().out
    assert json.loads((tmp_path / "results.json").read_text())["split"] == "train"
    assert main([*command, "--flips"]) == 1
    assert "'flips'" in capsys.readouterr().err


def test_predict_writes_objects_of_images_of_any_size(run, tmp_path, capsys):
    photo = np.random.default_rng(0).integers(0, 256, (70, 100, 3)).astype("uint8")
    write_image(tmp_path / "photo.png", photo)
    out = tmp_path / "out"
    command = ["predict", str(tmp_path / "photo.png"), "--run", str(run)]
    command += ["--out", str(out), "--score", "0.05"]
    assert main([*command, "--fit", "resize", "--zoom", "1"]) == 0
    label = cv2.imread(str(out / "masks/photo.png"), cv2.IMREAD_UNCHANGED)
    assert label.shape == (70, 100) and label.dtype == np.uint16
    found = json.loads((out / "instances.json").read_text())
    assert found["images"][0]["file_name"] == "photo.png"
    assert [one["name"] for one in found["categories"]][1] == "square"
    assert read_image(out / "overlays/photo.png").shape[2] == 3
    assert main([*command, "--fit", "resize"]) == 1  # the recipe's zoom
    assert "set zoom to 1" in capsys.readouterr().err
    assert main([*command, "--crf"]) == 1
    assert "Received: 'refine'" in capsys.readouterr().err


@pytest.mark.slow
def test_export_writes_a_saved_model(run, tmp_path):
    out = tmp_path / "exported"
    assert main(["export", "--run", str(run), "--out", str(out)]) == 0
    served = tf.saved_model.load(str(out / "1")).signatures["serving_default"]
    answer = served(images=tf.zeros([2, 64, 64, 3], tf.uint8))
    assert answer["boxes"].shape == (2, 8, 4)
