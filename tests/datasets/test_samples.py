import pickle

import numpy as np
import pytest

from kerasseg.datasets import Samples


def read(index):
    return {"image": np.full((2, 3, 3), index, np.uint8), "label": np.zeros((2, 3))}


@pytest.fixture
def samples():
    return Samples(names=("a", "b", "c"), read=read, classes=("ground", "disc"))


def test_samples_are_a_sequence(samples):
    assert len(samples) == 3
    assert [sample["image"][0, 0, 0] for sample in samples] == [0, 1, 2]
    assert samples[-1]["image"][0, 0, 0] == 2


def test_a_subset_keeps_the_given_order(samples):
    subset = samples.subset(np.array([2, 0]))
    assert subset.names == ("c", "a")
    assert [sample["image"][0, 0, 0] for sample in subset] == [2, 0]
    assert subset.subset([1]).names == ("a",)
    assert subset.classes == samples.classes


def test_a_subset_keeps_files_beside_names():
    files = (("a.jpg", "a.png"), ("b.jpg", "b.png"))
    samples = Samples(("a", "b"), read, ("ground",), files=files)
    assert samples.subset([1]).files == (("b.jpg", "b.png"),)


def test_a_position_outside_is_an_index_error(samples):
    with pytest.raises(IndexError, match=r"within -3\.\.2. Received: 3"):
        samples[3]
    with pytest.raises(IndexError, match="Received: -4"):
        samples.subset([-4])


def test_a_slice_points_to_subset(samples):
    with pytest.raises(TypeError, match="subset"):
        samples[0:2]


def test_names_must_be_unique():
    with pytest.raises(ValueError, match="'a' twice"):
        Samples(names=("a", "b", "a"), read=read, classes=("ground",))


def test_colors_need_one_entry_a_class():
    with pytest.raises(ValueError, match=r"`colors` must have 2 entries. Received: 1"):
        Samples(("a",), read, ("ground", "disc"), colors=((0, 0, 0),))


def test_a_subset_travels_to_another_process(samples):
    copy = pickle.loads(pickle.dumps(samples.subset([1, 2])))
    assert copy[1]["image"][0, 0, 0] == 2


def test_samples_with_fewer_classes_take_the_ids_of_others_by_name():
    sample = {"label": np.array([[0, 1, 255]], "int32"), "classes": np.array([1])}
    samples = Samples(("a",), lambda index: sample, ("ground", "fig"))
    mapped = samples.with_classes(["ground", "date", "fig"])
    assert mapped.classes == ("ground", "date", "fig")
    assert mapped[0]["label"].tolist() == [[0, 2, 255]]
    assert mapped[0]["label"].dtype == np.int32
    assert mapped[0]["classes"].tolist() == [2]
    assert sample["label"].tolist() == [[0, 1, 255]]
    with pytest.raises(ValueError, match="Received: fig, which is not among ground, d"):
        samples.with_classes(["ground", "date"])
