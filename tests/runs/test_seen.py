"""Images that a model was trained on are no proof of how good it is."""

import json

import numpy as np
import pytest

from kerasseg import recipes, report, runs
from kerasseg.cli import main
from kerasseg.images import write_image, write_mask
from kerasseg.runs import folder

OPTIONS = ["augment.size=[32, 32]", "model.architecture=unet", "model.base_filters=2"]


@pytest.fixture(scope="module")
def cross(tmp_path_factory):
    """Two folds of a cross-validation that nobody has trained, of six images."""
    root = tmp_path_factory.mktemp("cv")
    rng = np.random.default_rng(0)
    for number in range(6):
        image = rng.integers(0, 256, [32, 32, 3], "uint8")
        write_image(root / f"data/images/{number}.png", image)
        write_mask(root / f"data/labels/{number}.png", image[..., 0] // 128)
    data = ['data.classes=["a", "b"]', "data.folds=2"]
    for number in range(2):
        recipe = recipes.read(recipes.FOLDER, [*OPTIONS, *data, f"data.fold={number}"])
        samples = recipes.build_samples(recipe, root / "data", "val")
        out = root / f"cv/fold{number}"
        out.mkdir(parents=True)
        facts = folder.facts_of(samples, root / "data", out.name)
        folder.write_start(out, recipe, facts)
        model = recipes.build_model(recipe, samples.classes)
        model.save_weights(out / "best.weights.h5")
    return root


def test_folds_together_know_the_images_of_each(cross, tmp_path, capsys):
    pair = [cross / "cv/fold0", cross / "cv/fold1"]
    found = runs.evaluate(pair, out=tmp_path)
    (doubt,) = found["doubts"]
    assert f"{pair[1]} was trained on 3 of the 3 images" in doubt
    assert "trained on 3 of the 3" in report.page(tmp_path)
    assert main(["evaluate", "--run", str(cross / "cv"), "--out", str(tmp_path)]) == 0
    assert "Beware: " in capsys.readouterr().out


def test_a_run_knows_its_training_images_and_no_validation_images(cross, tmp_path):
    run = cross / "cv/fold0"
    assert "doubts" not in runs.evaluate(run, out=tmp_path)
    (doubt,) = runs.evaluate(run, split="train", out=tmp_path)["doubts"]
    assert "3 of the 3" in doubt
    assert json.loads((tmp_path / "results.json").read_text())["doubts"] == [doubt]


def test_other_data_are_not_known(cross, tmp_path):
    for number in range(6):
        image = np.full([32, 32, 3], 40 * number, "uint8")
        write_image(tmp_path / f"data/images/{number}.png", image)
        write_mask(tmp_path / f"data/labels/{number}.png", image[..., 0] // 128)
    pair = [cross / "cv/fold0", cross / "cv/fold1"]
    found = runs.evaluate(pair, root=tmp_path / "data", out=tmp_path / "out")
    assert "doubts" not in found
