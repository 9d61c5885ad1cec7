import dataclasses

import pytest

from kerasseg import recipes
from kerasseg.plan import candidates
from kerasseg.plan.choices import assemble, value_of
from tests.plan.test_choices import NUCLEI, STREET


def names(found):
    return [one.name for one in found]


def test_thin_structures_ask_for_a_decoder_at_full_size_first():
    thin = dataclasses.replace(STREET, width_px=6.0)
    lite = "efficientnet_lite0"
    assert names(candidates.semantic(thin, lite.__eq__, 15))[0] == f"unet {lite}"
    assert names(candidates.semantic(STREET, lite.__eq__, 15)) == [
        f"deeplab_v3_plus {lite}",
        f"unet {lite}",
    ]


def test_without_weights_at_hand_none_are_asked_for():
    for found in (
        candidates.semantic(STREET, lambda name: False, 60),
        candidates.instances(NUCLEI, lambda name: False, [256, 256], 2.0),
    ):
        assert all("encoder_weights" not in one.model for one in found)
        assert found


def test_a_larger_encoder_needs_time():
    found = candidates.semantic(STREET, lambda name: True, 45)
    assert len(found) == 3
    assert len(candidates.semantic(STREET, lambda name: True, 15)) == 2


def test_polygons_are_for_one_class_of_round_objects():
    def tried(facts):
        found = candidates.instances(facts, lambda name: True, [256, 256], 2.0)
        return [one.model["architecture"] for one in found]

    assert tried(NUCLEI) == ["mask_rcnn", "stardist"]
    assert tried(dataclasses.replace(NUCLEI, solidity=0.7))[1] == "yolact"
    three = dataclasses.replace(NUCLEI, classes=("background", "date", "fig"))
    assert tried(three)[1] == "yolact"


def test_anchors_have_the_sizes_of_objects():
    exact, _ = candidates.instances(NUCLEI, lambda name: True, [256, 256], 2.0)
    sides = [256 * x for x in exact.model["anchor_scales"]]
    # 1.2 x 2 x 6.4 px, a third less, to 1.2 x 2 x 42.1 px, a third more.
    assert sides[0] == pytest.approx(11.8, abs=0.1)
    assert sides[-1] == pytest.approx(131.4, abs=0.1)
    assert sides == sorted(sides)


def test_pretrained_statistics_are_kept_where_batches_are_small():
    exact, stars = candidates.instances(NUCLEI, lambda name: True, [256, 256], 2.0)
    assert [one.key for one in exact.for_batch(2)] == ["freeze_norm"]
    assert exact.for_batch(4) == stars.for_batch(2) == []
    begun = candidates.instances(NUCLEI, lambda name: False, [256, 256], 2.0)
    assert begun[0].for_batch(2) == []  # nothing to keep


def test_every_model_is_one_that_a_recipe_takes():
    data = {"dataset": "coco"}
    for one in [
        *candidates.semantic(STREET, lambda name: True, 60),
        *candidates.instances(NUCLEI, lambda name: True, [256, 256], 2.0),
        *candidates.instances(
            dataclasses.replace(NUCLEI, solidity=0.5), lambda name: False, [64, 64], 1.0
        ),
    ]:
        tables, _ = assemble([*one.choices("why"), *one.for_batch(2)])
        tables["data"] = data
        tables["augment"] = {"size": [256, 256]}
        recipe = recipes.complete(tables)
        assert recipes.task_of(recipe).name == one.kind


def test_weights_of_the_library_begin_what_they_fit():
    def inits(facts):
        found = candidates.instances(facts, lambda name: True, [256, 256], 2.0)
        found += candidates.semantic(facts, lambda name: True, 15)
        return {one.init for one in found} - {""}

    thin = dataclasses.replace(NUCLEI, width_px=8.0)
    assert inits(thin) == {"nuclei", "vessels"}
    assert inits(dataclasses.replace(thin, channels=1)) == set()
    assert inits(dataclasses.replace(thin, classes=("a", "b", "c"))) == set()


def test_weights_of_a_whole_model_learn_slowly():
    one = candidates.Candidate("a", {}, "", init="nuclei", learning_rate=3e-3)
    assert value_of(one.choices("why"), "learning_rate") == 1e-3
    assert value_of(one.choices("why"), "init") == "nuclei"


def test_a_model_with_weights_of_the_library_is_the_published_one():
    """Other options would not fit them."""
    from kerasseg.runs import warm_start

    thin = dataclasses.replace(NUCLEI, width_px=8.0)
    for one in [
        *candidates.instances(thin, "efficientnet_lite0".__eq__, [256, 256], 2.0),
        *candidates.semantic(thin, "efficientnet_lite0".__eq__, 15),
    ]:
        if one.init:
            published = warm_start.model_table(one.init)
            own = {**one.model}
            own.pop("encoder_weights", None)
            assert own == published
