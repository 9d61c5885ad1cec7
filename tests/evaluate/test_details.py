"""Images that are looked at more closely."""

from kerasseg import evaluate
from tests.contracts import discs
from tests.evaluate.made import make_samples, unsure


def test_at_most_so_many_images_are_taken_and_those_named_are_left_out():
    samples = make_samples([(8, 8)] * 5)
    found = evaluate.details(unsure(1), samples, limit=3)
    assert found["calibration"]["num_images"] == found["outlines"]["num_images"] == 3
    names = [f"sample{i}" for i in range(5)]
    found = evaluate.details(unsure(1), samples, without=names[1:])
    assert found["calibration"]["num_images"] == 1
    assert evaluate.details(unsure(1), samples, without=names) == {
        "calibration": {"error": None, "bins": [], "num_images": 0},
        "outlines": {"tolerance_px": 2.0, "classes": {}, "num_images": 0},
    }


def test_models_of_objects_have_none():
    assert evaluate.details(discs.build("stardist"), make_samples([(8, 8)])) == {}
