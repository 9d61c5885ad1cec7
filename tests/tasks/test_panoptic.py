"""Panoptic-DeepLab from a recipe to segments: train, evaluate, predict, serve."""

import json

import cv2
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import evaluate, tasks, zoo
from kerasseg.cli import main
from kerasseg.datasets.samples import Samples
from kerasseg.images import write_image
from kerasseg.instance.panoptic import Panoptic, panoptic_targets
from kerasseg.predict.options import PanopticOptions
from kerasseg.tasks import panoptic

RECIPE = """
[model]
architecture = "panoptic_deeplab"
encoder = "tiny"
[data]
dataset = "shapes"
train = {num = 8, size = 64, seed = 1}
val = {num = 2, size = 64, seed = 2}
[augment]
size = [64, 64]
[train]
epochs = 1
steps_per_epoch = 2
batch_size = 4
precision = "float32"
[optimizer]
name = "sgd"
[predict]
min_area_px = 4
"""
# Two touching things of class 1, one of class 2, on ground.
IDS = np.zeros([12, 16], "int32")
IDS[2:8, 1:5], IDS[2:8, 5:9], IDS[9:, 10:] = 1, 2, 3
CLASSES = np.array([1, 1, 2], "int32")
NAMES = ("ground", "disc", "square")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("job")
    (folder / "recipe.toml").write_text(RECIPE)
    out = folder / "run"
    assert main(["train", str(folder), "--out", str(out)]) == 0
    return out


@pytest.fixture
def oracle():
    """A model that reads the truth of IDS, whatever it is shown."""
    maps = panoptic_targets(IDS, sigma=1.0)
    label = np.concatenate([[0], CLASSES])[IDS]
    maps = {"logits": 10 * np.eye(3)[label], **maps}
    image = tf.keras.Input([*IDS.shape, 3])
    zero = tf.keras.layers.Lambda(lambda x: 0 * x[..., :1])(image)
    outputs = {
        name: tf.keras.layers.Lambda(lambda x, y=maps[name]: x + tf.cast(y, "float32"))(
            zero
        )
        for name in ("logits", "centers", "offsets")
    }
    return tf.keras.Model(image, outputs)


def samples(**changes):
    sample = {
        "image": np.zeros([*IDS.shape, 3], "uint8"),
        "label": np.concatenate([[0], CLASSES])[IDS],
        "instances": IDS[None],
        "classes": CLASSES,
        **changes,
    }
    return Samples(("one",), lambda index: sample, NAMES)


def test_a_model_says_its_task(oracle):
    assert tasks.of(zoo.panoptic_deeplab(3, "tiny")).name == "panoptic"
    assert tasks.of(oracle).name == "panoptic"  # told by its outputs


def test_perfect_maps_score_one(oracle):
    result = evaluate.score(oracle, samples())
    for name in ("pq", "sq", "rq", "mean_iou", "label_ap", "f1"):
        assert result[name] == pytest.approx(1.0), name
    assert result["classes"]["disc"] == {"pq": 1.0, "iou": 1.0}
    assert result["samples"][0]["objects"] == 3
    assert evaluate.gallery(oracle, samples(), result).ndim == 3
    assert "disc" in evaluate.table(result)


def test_an_object_found_too_few_costs_recognition(oracle):
    # A fourth thing where the oracle says ground: one of class 2's two is missed, RQ
    # 1 / (1 + 1/2); ground covers 5 pixels that are not its own.
    ids = IDS.copy()
    ids[0, :5] = 4
    label = np.concatenate([[0], CLASSES, [2]])[ids]
    changed = {"label": label, "instances": ids[None], "classes": [*CLASSES, 2]}
    result = evaluate.score(oracle, samples(**changed))
    assert result["classes"]["square"]["pq"] == pytest.approx(2 / 3)
    ground = (IDS == 0).sum()
    assert result["classes"]["ground"]["pq"] == pytest.approx((ground - 5) / ground)


def test_ignored_pixels_and_crowds_are_void():
    label = np.where(IDS == 3, 255, np.concatenate([[0], CLASSES])[IDS])
    found = panoptic.truth_of(samples(label=label, crowd=[0, 1, 0])[0])
    assert found.classes.tolist() == [1, 2, 0]
    assert not found.ids[IDS == 2].any()  # the crowd
    assert found.ids[0, 0] == 3


def test_small_segments_become_void(oracle):
    image = np.zeros([*IDS.shape, 3], "uint8")
    found = tasks.predict(oracle, image, {"min_area_px": 20})
    assert isinstance(found, Panoptic)
    assert found.classes.tolist() == [1, 1, 0]  # the square has 18 pixels
    assert set(np.unique(found.ids)) == {0, 1, 2, 3}


def test_stuff_is_what_is_no_thing(oracle):
    image = np.zeros([*IDS.shape, 3], "uint8")
    found = panoptic.predict(oracle, image, PanopticOptions(things=(2,)))
    assert sorted(found.classes.tolist()) == [0, 1, 2]  # both discs are one region


def test_a_cut_out_shows_things_alone(oracle):
    image, options = np.zeros([12, 16, 3], "uint8"), PanopticOptions(things=(2,))
    opacity = panoptic.TASK.opacity(panoptic.TASK, oracle, image, options)
    assert (opacity == (IDS == 3)).all()
    cut = panoptic.TASK.cut_out(image, opacity, options)
    assert (cut[..., 3] == 255 * (IDS == 3)).all()


def test_things_are_classes_of_the_model(oracle):
    image = np.zeros([*IDS.shape, 3], "uint8")
    with pytest.raises(ValueError, match=r"0\.\.2\. Received: things=\(1, 99\)"):
        tasks.predict(oracle, image, {"things": (1, 99)})


@pytest.mark.slow
def test_a_run_is_scored_as_segments(run, capsys):
    results = json.loads((run / "results.json").read_text())
    assert results["task"] == "panoptic" and 0 <= results["pq"] <= 1
    assert list(results["classes"]) == ["background", "disc", "square", "triangle"]
    assert (run / "samples.png").stat().st_size > 0
    assert main(["evaluate", "--run", str(run), "--min-area", "9", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["settings"]["min_area_px"] == 9


@pytest.mark.slow
def test_predict_writes_segments(run, tmp_path):
    photo = np.random.default_rng(0).integers(0, 256, (45, 70, 3)).astype("uint8")
    write_image(tmp_path / "photo.png", photo)
    command = ["predict", str(tmp_path / "photo.png"), "--run", str(run)]
    assert main([*command, "--out", str(tmp_path / "out")]) == 0
    ids = cv2.imread(str(tmp_path / "out/masks/photo.png"), cv2.IMREAD_UNCHANGED)
    assert ids.shape == (45, 70) and ids.dtype == np.uint16
    content = json.loads((tmp_path / "out/segments.json").read_text())
    segments = content["images"][0]["segments"]
    areas = [np.count_nonzero(ids == segment["id"]) for segment in segments]
    assert areas == [segment["area_px"] for segment in segments]
    assert (tmp_path / "out/overlays/photo.png").stat().st_size > 0


@pytest.mark.slow
def test_export_writes_a_saved_model(run, tmp_path):
    assert main(["export", "--run", str(run), "--out", str(tmp_path / "served")]) == 0
    about = json.loads((tmp_path / "served/1/kerasseg.json").read_text())
    assert about["task"] == "panoptic" and len(about["classes"]) == 4
    served = tf.saved_model.load(str(tmp_path / "served/1"))
    answer = served.signatures["serving_default"](
        images=tf.zeros([1, 33, 40, 3], "uint8")
    )
    shapes = {name: value.shape.as_list() for name, value in answer.items()}
    assert shapes == {
        "logits": [1, 33, 40, 4],
        "centers": [1, 33, 40, 1],
        "offsets": [1, 33, 40, 2],
    }
