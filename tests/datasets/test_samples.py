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


def objects(index):
    """A cat, a dog that overlaps it, a crowd of cats, and an ignored pixel."""
    maps = np.array([[[1, 1, 3, 0]], [[0, 2, 0, 0]]], "int32")
    return {
        "label": np.array([[1, 2, 255, 0]], "int32"),
        "instances": maps,
        "classes": np.array([1, 2, 1], "int32"),
        "crowd": np.array([False, False, True]),
        "boxes": np.arange(12, dtype="float32").reshape(3, 4),
    }


def test_only_some_classes_stay_and_their_objects():
    samples = Samples(
        ("a",), objects, ("ground", "cat", "dog"), colors=((0, 0, 0),) * 3
    )
    cats = samples.only(["cat"])
    assert cats.classes == ("ground", "cat") and len(cats.colors) == 2
    sample = cats[0]
    assert sample["label"].tolist() == [[1, 0, 255, 0]]
    assert sample["classes"].tolist() == [1, 1]
    assert sample["crowd"].tolist() == [False, True]
    assert sample["instances"].tolist() == [[[1, 1, 2, 0]], [[0, 0, 0, 0]]]
    assert sample["boxes"][:, 0].tolist() == [0, 8]
    both = samples.only(["dog", "cat"])[0]
    assert both["label"].tolist() == [[2, 1, 255, 0]]
    assert both["classes"].tolist() == [2, 1, 2]
    with pytest.raises(ValueError, match="Did you mean 'cat'"):
        samples.only(["cats"])


def test_many_samples_are_told_on_one_line():
    samples = Samples(tuple(f"{n:03}" for n in range(500)), int, ("ground", "cell"))
    text = repr(samples)
    assert text.startswith("Samples(500: '000', '001', '002', ...")
    assert len(text) < 80
