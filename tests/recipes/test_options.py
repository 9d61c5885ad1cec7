"""Options that recipes take, by their present and their former names."""

import pytest

from kerasseg import datasets, recipes
from tests.recipes.small import write


def test_another_architecture_needs_no_options_of_the_built_in_recipes(tmp_path):
    for path, option in ((None, "encoder=tiny"), (recipes.FOLDER, "output_stride=16")):
        given = ["model.architecture=deeplab_v3_plus", f"model.{option}"]
        recipe = recipes.read(path, given)
        assert "base_filters" not in recipe["model"]
    given = ["model.architecture=yolact", "data.dataset=coco", "augment.size=[64, 64]"]
    assert recipes.read(recipes.FOLDER, given)["loss"] == []
    with pytest.raises(
        recipes.RecipeError, match=r"--set model\.base_filters: Unknown"
    ):
        recipes.read(None, ["model.architecture=fpn", "model.base_filters=4"])
    own = write(tmp_path, recipes.FOLDER.read_text())
    message = r"recipe\.toml, line 7: .*'base_filters'.*changes no other option"
    with pytest.raises(recipes.RecipeError, match=message):
        recipes.read(own, ["model.architecture=deeplab_v3_plus"])


def test_every_data_set_can_be_named():
    names = {"camvid", "coco", "dsb2018", "folder", "isbi2012", "mask_folders"}
    assert names | {"shapes"} <= set(datasets.DATASETS)


def test_options_by_their_former_names_are_still_read(tmp_path):
    path = write(tmp_path, "[model]\narchitecture = 'pspnet'\nlight = true\n")
    model = recipes.read(path, ["data.dataset=shapes", "data.train={num=2}"])["model"]
    assert model["lightweight"] is True and "light" not in model
