import numpy as np
import pytest

from kerasseg import video
from tests.video import films


def shares_of(*masks):
    """Probabilities of a background and one class, sure."""
    ids = np.any(masks, axis=0)
    return np.stack([~ids, ids], -1).astype("float32")


def place(y, x, size=(72, 96)):
    mask = np.zeros(size, bool)
    mask[y : y + 10, x : x + 10] = True
    return mask


def test_a_look_alike_elsewhere_is_left_out():
    follower = video.Follower(0.03)
    frame, ids = films.square(0)
    follower(frame, shares_of(ids == 1))
    for index in (1, 2, 3):
        frame, ids = films.square(index)
        found = follower(frame, shares_of(ids == 1, place(50, 80)))
        assert found[ids == 1, 1].mean() > 0.9
        assert found[place(50, 80), 1].max() < 0.1
        np.testing.assert_allclose(found.sum(-1), 1, atol=1e-6)


def test_binary_models_and_several_classes_are_limited_alike():
    frame, ids = films.square(0)
    several, single = video.Follower(0.03), video.Follower(0.03)
    both = shares_of(ids == 1)
    three = np.concatenate([both, 0 * both[..., :1]], -1)
    several(frame, three)
    single(frame, both[..., 1:])
    after = shares_of(ids == 1, place(50, 80))
    three = np.concatenate([after[..., :1], 0 * after[..., :1], after[..., 1:]], -1)
    found = several(frame, three)
    np.testing.assert_allclose(found[..., 2], single(frame, after[..., 1:])[..., 0])


def test_an_object_that_is_hidden_waits_at_its_place():
    follower, (frame, ids) = video.Follower(0.03), films.square(0)
    follower(frame, shares_of(ids == 1))
    for _ in range(3):
        assert follower(frame, shares_of(ids == 9))[..., 1].max() == 0
    assert follower(frame, shares_of(ids == 1))[ids == 1, 1].min() > 0.9


def test_without_any_object_all_can_be_found():
    follower, (frame, ids) = video.Follower(0.03), films.square(0)
    follower(frame, shares_of(ids == 9))
    assert follower(frame, shares_of(ids == 1))[ids == 1, 1].min() == 1


@pytest.mark.parametrize("reach", [0, 1.5, float("nan"), "near", True])
def test_a_reach_out_of_range_is_refused(reach):
    with pytest.raises(ValueError, match="`reach` must be above 0"):
        video.Follower(reach)
