import numpy as np
import pytest

from kerasseg import datasets, images, recipes
from kerasseg.datasets import Samples
from kerasseg.images import ImageError


def labelled(*classes, names=None):
    """Samples of one pixel, of these classes."""
    names = names or tuple(f"s{i}" for i in range(len(classes)))
    labels = [np.full([1, 1], x, "int32") for x in classes]
    image = np.zeros([1, 1, 3], "uint8")
    return Samples(
        names, lambda i: {"image": image, "label": labels[i]}, tuple("abcde")
    )


def vals(samples, folds, **more):
    return [
        datasets.fold(samples, "val", fold=i, folds=folds, **more) for i in range(folds)
    ]


def test_every_sample_is_validated_once_and_trained_on_otherwise():
    samples = labelled(*[0, 1, 2] * 7)
    found = vals(samples, 5)
    assert sorted(n for val in found for n in val.names) == sorted(samples.names)
    assert {len(val) for val in found} == {4, 5}
    for number, val in enumerate(found):
        train = datasets.fold(samples, "train", fold=number, folds=5)
        assert {*train.names} == {*samples.names} - {*val.names}


def test_rare_classes_are_in_every_fold():
    samples = labelled(*[0] * 30, 3, 3, 3)
    for val in vals(samples, 3):
        assert [val[i]["label"].item() for i in range(len(val))].count(3) == 1


def test_groups_stay_together():
    names = tuple(f"p{i % 4}_{i}" for i in range(12))
    samples = labelled(*[0] * 12, names=names)
    for val in vals(samples, 2, group=r"p\d"):
        groups = {name[:2] for name in val.names}
        assert len(val) == 3 * len(groups) == 6


def test_folds_do_not_depend_on_the_order_of_names():
    one = labelled(0, 1, 0, 1, names=("a", "b", "c", "d"))
    other = labelled(1, 0, 1, 0, names=("d", "c", "b", "a"))
    for first, second in zip(vals(one, 2), vals(other, 2)):
        assert {*first.names} == {*second.names}


@pytest.mark.parametrize(("fold", "folds"), [(0, 1), (2, 2), (-1, 2)])
def test_numbers_that_are_none_of_folds_are_refused(fold, folds):
    with pytest.raises(ValueError, match="`folds` must be 2 or more"):
        datasets.fold(labelled(0, 1, 2), "val", fold=fold, folds=folds)


def test_there_must_be_as_many_groups_as_folds():
    with pytest.raises(ImageError, match="3 groups of samples or more for 3 folds"):
        datasets.fold(labelled(0, 1), "val", fold=0, folds=3)


def test_a_recipe_reads_a_fold_of_all_samples_whatever_split_they_have(tmp_path):
    for side, num in (("train", 4), ("val", 2)):
        for number in range(num):  # both sides have the same names
            shade = 60 * number + 20 * (side == "val")
            image = np.random.default_rng(shade).integers(0, 256, [16, 16, 3], "uint8")
            images.write_image(tmp_path / f"{side}/images/{number}.png", image)
            label = np.eye(16, dtype="uint8")
            images.write_mask(tmp_path / f"{side}/labels/{number}.png", label)
    data = {"dataset": "folder", "train": "train", "val": "val", "folds": 3}
    found = set()
    for number in range(3):
        recipe = {"data": {**data, "fold": number}}
        train, val = (
            recipes.build_samples(recipe, tmp_path, side) for side in ("train", "val")
        )
        assert len(train) == 4
        found |= {*val.names}
        assert val[0]["label"].sum() == 16
    assert found == {*(f"train/{i}" for i in range(4)), "val/0", "val/1"}


def test_folds_of_a_recipe_are_checked():
    tables = {"model": {"architecture": "unet"}, "augment": {"size": [16, 16]}}
    tables["data"] = {"dataset": "folder", "folds": 3, "fold": 3}
    with pytest.raises(recipes.RecipeError, match="folds=3, fold=3"):
        recipes.complete(tables)
