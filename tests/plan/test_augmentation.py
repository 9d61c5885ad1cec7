import dataclasses

import pytest

from kerasseg.plan import augmentation
from tests.plan.test_choices import NUCLEI, STREET

ANY = {"horizontal": (0.01, 0.4), "vertical": (0.02, 0.3), "transposed": (0.0, 0.6)}
UP = {
    "horizontal": (0.05, 0.001),
    "vertical": (0.58, 0.001),
    "transposed": (0.5, 0.001),
}


def fits(told, scores=None, facts=NUCLEI):
    found = augmentation.fitting(dataclasses.replace(facts, told=told), scores)
    return {flip: fit for flip, (fit, _) in found.items()}


def test_classes_that_lie_one_way_forbid_a_flip():
    assert fits(UP) == {"horizontal": True, "vertical": False, "transposed": False}
    assert fits(ANY) == {"horizontal": True, "vertical": True, "transposed": True}


def test_frames_of_a_video_tell_a_direction_only_in_doubt():
    """They differ from their flips alike, whichever flip it is."""
    told = {"horizontal": (0.18, 0.001), "vertical": (0.15, 0.002)}
    assert fits(told, facts=dataclasses.replace(NUCLEI, grey=True))["vertical"]
    assert not fits(told)["vertical"]  # photographs have an up
    assert fits(told)["horizontal"]
    assert fits(told, {"as it is": 0.7, "vertical": 0.69})["vertical"]


@pytest.mark.parametrize(
    ("upright", "flipped", "expected"),
    [(0.6, 0.58, True), (0.6, 0.4, False), (0.2, 0.05, True)],
)
def test_a_model_that_has_seen_no_flips_tells(upright, flipped, expected):
    """Below 0.3 it has learnt too little to tell anything."""
    scores = {"as it is": upright, "vertical": flipped}
    assert fits(ANY, scores)["vertical"] == expected


def choice(facts, told, zoom=1.0):
    facts = dataclasses.replace(facts, told=told)
    fitting = augmentation.fitting(facts)
    return augmentation.choose(facts, fitting, ([256, 256], "because"), zoom)


def table(facts, told):
    return choice(facts, told).value


def test_every_option_has_its_reason_and_enlarged_images_are_never_exact():
    for zoom in (1.0, 2.0):
        found = choice(NUCLEI, ANY, zoom)
        assert {*found.value} == {*found.reason}
        assert ("exact" in found.value) == (zoom == 1)


def test_streets_keep_their_sky():
    facts = dataclasses.replace(STREET, shares=(0.6, 0.3, 0.1))
    found = table(facts, UP)
    assert found["name"] == "street"
    assert found["flip"] == "horizontal"
    assert "rotation" not in found


def test_grey_images_without_an_up_are_turned_and_warped():
    facts = dataclasses.replace(NUCLEI, grey=True, width_px=8.0)
    found = table(facts, ANY)
    assert found["name"] == "microscopy"
    assert (found["flip"], found["rotation"], found["elastic"]) == ("both", 90.0, 4.0)


def test_text_is_not_mirrored():
    """Both flips and turns can be told, as in letters."""
    told = dict.fromkeys(ANY, (0.7, 0.001))
    found = table(dataclasses.replace(STREET, shares=(0.6, 0.3, 0.1), told=told), told)
    assert found["flip"] is None


def test_crops_are_laid_over_rare_things():
    facts = dataclasses.replace(NUCLEI, image_shares=(1.0, 0.1))
    where, light = table(facts, ANY)
    assert (where["name"], where["focus"]) == ("geometry", 0.5)
    assert light["name"] == "color"
    assert [one.value for one in augmentation.balance(facts)] == ["classes"]
    assert augmentation.balance(NUCLEI) == []
    # Poles are thin, but in every street.
    thin = dataclasses.replace(STREET, shares=(0.6, 0.399, 0.001))
    assert table(thin, UP)["name"] == "street"


def test_every_table_is_one_that_a_recipe_takes():
    from kerasseg import recipes

    corner = dict.fromkeys(UP, (0.9, 0.001))  # no flip fits
    for facts, told in [(STREET, UP), (NUCLEI, ANY), (STREET, ANY), (NUCLEI, corner)]:
        for empty in (0.0, 0.5):
            for dtype in ("uint8", "uint16"):
                one = dataclasses.replace(
                    facts, told=told, empty_share=empty, dtype=dtype
                )
                recipe = recipes.complete(
                    {
                        "model": {"architecture": "unet"},
                        "data": {"dataset": "folder"},
                        "augment": table(one, told),
                    }
                )
                recipes.build_augment(recipe)
