import math

import pytest

from kerasseg import recipes
from kerasseg.tune import changed, dimensions, starting_point
from kerasseg.tune.space import option_of


def tables(**more):
    known = {
        "model": {"architecture": "deeplab_v3_plus"},
        "data": {"dataset": "folder"},
        "augment": {"name": "microscopy", "size": [64, 64], "scale": [0.5, 2.0]},
        "loss": [
            {"name": "CrossEntropy", "class_weights": [0.5, 1.0, 4.0]},
            {"name": "Dice"},
        ],
        "optimizer": {"learning_rate": 1e-3, "weight_decay": 1e-4},
    }
    return recipes.complete({**known, **more})


def test_the_recipe_itself_lies_in_its_space():
    for recipe in [tables(), *map(recipes.read, recipes.named())]:
        for one in dimensions(recipe):
            assert one.low <= one.value <= one.high, one
            assert one.low > 0 or not one.log, one


def test_values_beyond_the_usual_ranges_widen_them():
    recipe = tables(
        model={"architecture": "deeplab_v3_plus", "dropout": 0.75},
        augment={
            **{"name": "microscopy", "size": [64, 64], "scale": [0.25, 4.0]},
            **{"brightness": 0.8, "elastic": 30.0},
        },
        loss=[{"name": "CrossEntropy"}, {"name": "Dice", "weight": 20.0}],
        optimizer={"learning_rate": 1e-3, "weight_decay": 1e-8},
    )
    found = {one.name: one for one in dimensions(recipe)}
    assert found["model.dropout"].high == found["model.dropout"].value == 0.75
    assert found["augment.brightness"].high == 0.8
    assert found["augment.elastic"].high == 30
    assert found["augment.scale_spread"].high == found["augment.scale_spread"].value > 2
    assert found["loss.second_weight"].high == 20
    assert found["optimizer.weight_decay"].low == 1e-8


def test_a_loss_without_weight_has_none_to_search():
    losses = [{"name": "CrossEntropy"}, {"name": "Dice", "weight": 0.0}]
    names = {one.name for one in dimensions(tables(loss=losses))}
    assert "loss.second_weight" not in names


def test_only_what_the_recipe_has_is_searched():
    names = {one.name for one in dimensions(tables())}
    assert {"loss.weights_power", "model.dropout", "augment.scale_spread"} <= names
    plain = tables(
        model={"architecture": "unet"},
        loss=[{"name": "Dice"}],
        augment={"name": "geometry", "size": [64, 64]},
    )
    assert {one.name for one in dimensions(plain)} == {
        "optimizer.learning_rate",
        "optimizer.weight_decay",
    }


def test_values_change_the_options_they_stand_for():
    recipe = tables()
    found = changed(
        recipe,
        {
            "optimizer.learning_rate": 3e-3,
            "augment.scale_spread": 1.5,
            "loss.second_weight": 2.0,
            "loss.weights_power": 0.5,
            "model.dropout": 0.3,
        },
    )
    assert found["optimizer"]["learning_rate"] == 3e-3
    assert found["augment"]["scale"] == pytest.approx([1 / 1.5, 1.5], abs=1e-4)
    assert found["loss"][1]["weight"] == 2.0
    assert found["loss"][0]["class_weights"] == pytest.approx(
        [math.sqrt(0.5), 1, 2], abs=1e-4
    )
    assert found["model"]["dropout"] == 0.3
    assert recipe == tables()  # unchanged
    assert recipes.complete(found) == found


def test_the_starting_point_changes_nothing_of_consequence():
    recipe = tables()
    found = changed(recipe, starting_point(recipe))
    assert found["augment"]["scale"] == pytest.approx(recipe["augment"]["scale"])
    assert found["loss"][0] == recipe["loss"][0]
    assert option_of("loss.weights_power") == ("loss", "class_weights")
    assert option_of("optimizer.learning_rate") == ("optimizer", "learning_rate")


def test_a_narrow_scale_still_holds_1_where_crops_are_cut_out_as_they_are():
    part = {"name": "standard", "size": [8, 8], "scale": [0.7, 1.5], "exact": 0.5}
    one = changed({"augment": part}, {"augment.scale_spread": 1.0})
    low, high = one["augment"]["scale"]
    assert low <= 1 <= high
