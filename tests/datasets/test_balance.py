import numpy as np
import pytest

from kerasseg import datasets
from kerasseg.data import batch_names


def samples_of(labels, values=None):
    """Samples with the labels given, and images of one value each."""
    values = [0] * len(labels) if values is None else values

    def read(index):
        image = np.full((2, 2, 3), values[index], np.float32)
        return {"image": image, "label": np.full((2, 2), labels[index], np.int32)}

    names = tuple(f"{index}" for index in range(len(labels)))
    return datasets.Samples(names, read, ("ground", "a", "b"))


def test_repeat_factors_are_those_of_the_paper():
    # f of class 1 is 0.8, of class 2 it is 0.1: sqrt(0.5 / 0.1).
    found = datasets.balance(samples_of([1] * 8 + [2, 0])).weights
    np.testing.assert_allclose(found, [1] * 8 + [np.sqrt(5), 1])


def test_the_background_and_the_ignored_are_no_class():
    found = datasets.balance(samples_of([0, 255, 1, 1, 1, 1]))
    assert found.weights == (1.0,) * 6


def test_objects_count_by_their_classes():
    samples = datasets.shapes(6, size=64, seed=1)
    found = datasets.balance(samples)
    assert len(found.weights) == 6 and min(found.weights) >= 1


def test_pictures_that_look_like_few_others_weigh_more():
    found = np.array(
        datasets.balance(
            samples_of([0] * 20, [10] * 18 + [200] * 2), "appearance"
        ).weights
    )
    np.testing.assert_allclose(found[:18], 1.0)
    assert found[18] == found[19]
    assert 5 < found[18] < 9.5  # 18 / 2, but for the blur of the density


def test_alike_pictures_are_drawn_alike():
    found = datasets.balance(samples_of([0] * 5, [7] * 5), by="appearance")
    assert found.weights == (1.0,) * 5


def test_no_picture_is_drawn_more_than_ten_times():
    found = datasets.balance(samples_of([0] * 100, [0] * 99 + [255]), by="appearance")
    assert max(found.weights) == 10.0


def test_another_way_is_refused():
    with pytest.raises(ValueError, match="classes"):
        datasets.balance(samples_of([0]), by="size")


def test_epochs_hold_samples_as_often_as_they_weigh():
    samples = samples_of([0] * 6).with_weights([3, 1, 1, 1, 0.001, 1e-9])
    counts = np.zeros(6)
    for epoch in range(50):
        names = batch_names(samples, epoch, batch_size=6, seed=1)
        found = np.bincount([int(name) for name in names], minlength=6)
        assert found[0] == 3 or abs(found[0] - 3) <= 1  # never left to chance
        counts += found
    np.testing.assert_allclose(counts[:4] / 50, [3, 1, 1, 1], atol=0.1)
    assert counts[5] == 0 and counts.sum() == 300


def test_weights_go_with_their_samples():
    samples = samples_of([0, 1, 2]).with_weights([1, 2, 3]).subset([2, 0])
    assert samples.weights == (3.0, 1.0)


@pytest.mark.parametrize("weights", [[1, 2], [1, 0, 1], [1, -1, 1], [1, np.nan, 1]])
def test_weights_that_do_not_fit_are_refused(weights):
    with pytest.raises(ValueError, match="`weights` must be 3 positive numbers"):
        samples_of([0, 1, 2]).with_weights(weights)
