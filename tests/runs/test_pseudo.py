import json

import numpy as np
import pytest

from kerasseg import images, recipes, runs
from kerasseg.datasets import Samples
from kerasseg.predict.options import ClassMapOptions
from kerasseg.runs import folder, pseudo, training

OPTIONS = [
    "data.train={num=4, size=32, seed=1}",
    "data.val={num=3, size=32, seed=2}",
    "augment.size=[32, 32]",
    "model.base_filters=2",
    "train.batch_size=2",
    "train.steps_per_epoch=0",
]


def test_a_class_is_as_sure_as_where_what_is_said_of_it_is_right(monkeypatch):
    """100 pixels of each confidence 0.5 and 0.9; of class 0 all are right."""
    label = np.zeros([1, 400], "int32")
    label[0, 200:] = 1
    label[0, 200:250] = 2  # what is called 1 with 0.5 is wrong in half of the pixels
    ids = np.repeat([0, 1], 200)[None]
    confidence = np.tile(np.repeat([0.505, 0.905], 100), 2)[None]
    monkeypatch.setattr(pseudo, "_predicted", lambda *_: (ids, confidence))
    sample = {"image": np.zeros([1, 400, 3], "uint8"), "label": label}
    samples = Samples(("a",), lambda index: sample, ("a", "b", "c"))
    found = pseudo.sure(None, samples, ClassMapOptions())
    assert found[0] == 0
    assert 0.51 <= found[1] <= 0.9
    assert found[2] > 1  # never said, so never sure


@pytest.fixture
def run(tmp_path):
    """A finished run that nobody has trained, and a folder of photographs."""
    recipe = recipes.read(None, OPTIONS)
    samples = recipes.build_samples(recipe, None, "val")
    out = tmp_path / "run"
    out.mkdir()
    folder.write_start(out, recipe, folder.facts_of(samples, None, "run"))
    model = recipes.build_model(recipe, samples.classes)
    model.save_weights(out / "best.weights.h5")
    (out / "results.json").write_text(json.dumps({"mean_iou": 0.5}))
    for number in range(2):
        image = samples[number]["image"]
        images.write_image(tmp_path / f"photos/{number}.png", image)
    return out


@pytest.mark.parametrize(("after", "kept"), [(0.51, True), (0.5, False), (None, False)])
def test_the_second_training_is_kept_only_if_it_gains(run, monkeypatch, after, kept):
    def train(recipe, *, root, out, name, **more):
        assert recipe["data"]["pseudo"] == str(run / "pseudo")
        assert recipe["train"]["init"] == str(run)
        assert recipe["train"]["steps_per_epoch"] == 2  # of four images, as before
        train_side = recipes.build_samples(recipe, None, "train")
        assert len(train_side) == 4 + 2
        assert len(recipes.build_samples(recipe, None, "val")) == 3
        assert len(runs.read_samples(run, split="train")) == 4
        recipe["data"]["balance"] = "appearance"
        sides = training.checked_samples(recipe, None, lambda event: None)
        weights = sides["train"].weights
        assert sum(weights[:4]) == pytest.approx(sum(weights[4:]))
        out.mkdir()
        (out / "best.weights.h5").write_bytes(b"better")
        results = {"mean_iou": after, "training": {"steps": 7}}
        (out / "results.json").write_text(json.dumps(results))

    measured = []
    monkeypatch.setattr(pseudo.training, "train", train)
    monkeypatch.setattr(
        pseudo.use, "evaluate", lambda run, **more: measured.append(more["training"])
    )
    found = runs.train_student(run, run.parent / "photos")
    assert found == {"images": 2, "before": 0.5, "after": after, "kept": kept}
    assert ((run / "best.weights.h5").read_bytes() == b"better") == kept
    assert (run / "teacher-best.weights.h5").is_file() == kept
    assert measured == [{"steps": 7}] * kept
    assert {path.name for path in run.iterdir()} <= folder.FILES
    assert runs.train_student(run, run.parent / "photos") == found  # once
    photo = images.read_image(run.parent / "photos/0.png")
    images.write_image(run.parent / "others/0.png", photo)
    with pytest.raises(runs.RunError, match=r"2 images that it has labelled.*others"):
        runs.train_student(run, run.parent / "others")


def test_a_folder_without_images_is_refused(run, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(runs.RunError, match="--unlabelled must hold images"):
        runs.train_student(run, tmp_path / "empty")


def test_models_of_objects_make_no_labels(run):
    recipe = recipes.read("yolact_plain_shapes")
    (run / "recipe.toml").write_text(recipes.dump(recipe))
    with pytest.raises(runs.RunError, match="classes of pixels only"):
        runs.train_student(run, run.parent / "photos")
