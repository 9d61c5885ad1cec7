"""Folders that other libraries saved: told by their config.json, and loaded by path."""

import pathlib
import zipfile

import numpy as np
import pytest

from kerasseg import weights, zoo
from tests.zoo import test_smp as smp
from tests.zoo.test_references import published

STARDIST = pathlib.Path(__file__).parents[1] / "files/stardist.zip"


def test_a_folder_of_smp_is_loaded_by_its_path(tmp_path):
    arrays = published("deeplab_v3_plus_mobilenet_v2")
    model = zoo.load(smp.write(tmp_path / "net", arrays))
    assert (model.task, model.classes) == ("semantic", ("0", "1", "2"))
    kernel = arrays["segmentation_head.0.weight"].transpose(2, 3, 1, 0)
    np.testing.assert_array_equal(model.get_layer("head").kernel, kernel)


def test_one_logit_is_of_two_classes(tmp_path):
    entry = zoo.entry_of(smp.write(tmp_path, classes=1))
    assert entry.classes == ("0", "1") and entry.options["num_classes"] == 1


def test_a_folder_of_stardist_is_loaded_by_its_path(tmp_path):
    with zipfile.ZipFile(STARDIST) as file:
        file.extractall(tmp_path)
    entry = zoo.entry_of(str(tmp_path / "2D_versatile_fluo"))
    assert (entry.name, entry.task) == ("2D_versatile_fluo", "stars")
    assert entry.is_here() and not entry.sha256
    model = zoo.load(entry)
    assert model.classes == ("background", "object")
    assert model.predict_options["overlap_threshold"] == 0.3


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("config.json", '{"model_type": "segformer"}', "must hold the weights and"),
        ("config.json", "[" * 10**5, "is no configuration"),
        ("config.json", "[]", "must hold the weights and"),
        ("recipe.toml", "", "give it as --run"),
        ("readme", "", "must hold the weights and"),
    ],
)
def test_other_folders_are_refused_with_what_is_read(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(weights.WeightsError, match=message) as caught:
        zoo.load(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_what_is_no_folder_is_a_name():
    assert zoo.entry_of("shapes").stored
    with pytest.raises(ValueError, match="Did you mean 'shapes'"):
        zoo.entry_of("shape")
