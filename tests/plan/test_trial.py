"""Pieces of short trainings that are measured."""

import numpy as np

from kerasseg import datasets, recipes
from kerasseg.plan import trial


def test_crops_are_of_the_size_of_those_of_the_training_and_held_in_memory():
    samples = datasets.shapes(3, size=64, seed=0)
    recipe = recipes.read(recipes.SHAPES, ["augment.size=[24, 40]"])
    crops = trial.crops_of(samples, recipe)
    assert len(crops) == trial.MOST_CROPS
    assert crops.classes == samples.classes
    for index in (0, 1, 31):
        assert crops[index]["image"].shape == (24, 40, 3)
        assert crops[index]["label"].shape == (24, 40)
    # Another crop of the same image each time, and the same ones in every trial.
    assert (crops[0]["image"] != crops[3]["image"]).any()
    again = trial.crops_of(samples, recipe)
    np.testing.assert_array_equal(crops[3]["image"], again[3]["image"])


def test_images_and_labels_are_flipped_alike():
    made = [datasets.shapes(2, size=32, seed=0)[index] for index in range(2)]
    made = [{key: one[key] for key in ("image", "label")} for one in made]
    samples = datasets.Samples(("a", "b"), made.__getitem__, ("ground", "object"))
    assert trial.flipped(samples, "as it is") is samples
    found = trial.flipped(samples, "horizontal")
    for key in ("image", "label"):
        np.testing.assert_array_equal(found[1][key], samples[1][key][:, ::-1])
    found = trial.flipped(samples, "transposed")[1]["image"]
    assert (found[3, 20] == samples[1]["image"][20, 3]).all()


def test_the_image_that_is_timed_is_of_middle_size_and_counts_by_pixels(monkeypatch):
    scored = []
    monkeypatch.setattr(
        trial.evaluate, "score", lambda model, samples, _: scored.append(samples)
    )
    clock = iter([0.0, 2.0])
    monkeypatch.setattr(trial.time, "perf_counter", lambda: next(clock))
    sizes = [(10, 10), (40, 40), (20, 20)]
    samples = datasets.Samples(
        ("a", "b", "c"), lambda i: {"label": np.zeros(sizes[i], "int32")}, ("a", "b")
    )
    # 2 seconds for 400 pixels, and images of 100 pixels on average.
    assert trial._seconds_per_image(None, samples, None, 100) == 0.5
    assert [one.names for one in scored] == [("c",), ("c",)]
