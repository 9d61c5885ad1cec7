import dataclasses

import pytest

from kerasseg.plan import DataFacts, choices

STREET = DataFacts(
    num_train=367,
    num_val=101,
    height=360,
    width=480,
    mean_px=172_800,
    most_px=172_800,
    channels=3,
    classes=("sky", "road", "pole"),
    shares=(0.6, 0.39, 0.01),
    width_px=20.0,
)
NUCLEI = dataclasses.replace(
    STREET,
    height=256,
    width=256,
    classes=("background", "nucleus"),
    shares=(0.86, 0.14),
    has_objects=True,
    side_px=(4.7, 6.4, 15.9, 42.1),
    most_objects=152,
    solidity=0.96,
)


@pytest.mark.parametrize(
    ("facts", "asked", "expected"),
    [
        (STREET, None, "semantic"),
        (NUCLEI, None, "instances"),
        (NUCLEI, "semantic", "semantic"),
        (dataclasses.replace(NUCLEI, most_objects=1), None, "semantic"),
    ],
)
def test_the_form_of_the_data_tells_the_task(facts, asked, expected):
    assert choices.task(facts, asked)[0] == expected


def test_objects_that_the_data_do_not_tell_apart_are_refused():
    with pytest.raises(ValueError, match="--task semantic"):
        choices.task(STREET, "instances")


@pytest.mark.parametrize(
    ("side", "minutes", "expected"),
    [(16, 15, 2), (8, 15, 4), (4, 15, 4), (32, 15, 1), (109, 15, 0.5), (109, 60, 1)],
)
def test_small_objects_are_enlarged_and_large_ones_shrunk(side, minutes, expected):
    """The latter where there is little time."""
    facts = dataclasses.replace(NUCLEI, side_px=(side / 2, side / 2, side, 2 * side))
    assert choices.zoom(facts, minutes)[0] == expected


def test_crops_follow_structures_and_fit_into_the_image():
    assert choices.crop(STREET)[0] == [320, 320]  # 16 x 20 px
    thin = dataclasses.replace(STREET, width_px=3.0)
    assert choices.crop(thin)[0] == [192, 192]
    flat = dataclasses.replace(STREET, height=100)
    assert choices.crop(flat)[0] == [96, 320]


def test_crops_of_objects_are_multiples_of_32_of_the_enlarged_image():
    size, _ = choices.crop(NUCLEI, 2.0)
    # A large nucleus, 26 px, is 52 px enlarged: five of them.
    assert size == [256, 256]
    tiny = dataclasses.replace(NUCLEI, height=70, width=70)
    assert choices.crop(tiny, 1.0)[0] == [64, 64]


def test_rare_classes_get_a_larger_weight_within_bounds():
    entropy, _ = choices.losses(STREET).value
    # Root of 0.39 over each share: 0.81, 1 and 6.2, of which 4 is the most.
    assert entropy["class_weights"] == [0.81, 1.0, 4.0]
    even = dataclasses.replace(STREET, shares=(0.4, 0.3, 0.3))
    assert "class_weights" not in choices.losses(even).value[0]


def test_a_class_that_never_occurs_has_no_say():
    facts = dataclasses.replace(STREET, shares=(0.97, 0.03, 0.0))
    assert choices.losses(facts).value[0]["class_weights"][2] == 1.0


def test_large_images_are_predicted_by_tiles():
    large = dataclasses.replace(STREET, most_px=5_000_000)
    assert [x.key for x in choices.prediction(large, "semantic")] == ["tile_px"]
    assert choices.prediction(STREET, "semantic") == []


def test_prediction_of_objects_knows_their_sizes():
    found = {x.key: x.value for x in choices.prediction(NUCLEI, "instance", (2.0, ""))}
    # 1.2 x 42.1 px, in steps of 16; half of 4.7 x 4.7 px.
    assert found == {"zoom": 2.0, "overlap_px": 64, "min_area_px": 11}
    stars = [x.key for x in choices.prediction(NUCLEI, "stars")]
    assert stars == ["min_area_px"]  # which has no enlargement
