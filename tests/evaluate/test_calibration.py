"""Images that a calibration is measured on."""

from kerasseg import evaluate
from tests.contracts import discs
from tests.evaluate.made import make_samples, unsure


def test_at_most_so_many_images_are_taken_and_those_named_are_left_out():
    samples = make_samples([(8, 8)] * 5)
    found = evaluate.calibration(unsure(1), samples, limit=3)
    assert found["num_images"] == 3
    names = [f"sample{i}" for i in range(5)]
    found = evaluate.calibration(unsure(1), samples, without=names[1:])
    assert found["num_images"] == 1
    nothing = {"error": None, "bins": [], "num_images": 0}
    assert evaluate.calibration(unsure(1), samples, without=names) == nothing


def test_models_of_objects_have_none():
    assert evaluate.calibration(discs.build("stardist"), make_samples([(8, 8)])) is None
