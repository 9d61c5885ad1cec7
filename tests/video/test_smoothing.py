import numpy as np
import pytest

from kerasseg import video
from tests.video import films


def test_noise_shrinks_and_what_moves_stays_in_place(rng):
    smoother, errors = video.Smoother(0.7), {"raw": [], "smooth": []}
    for index in range(8):
        frame, ids = films.square(index)
        noisy = (ids[..., None] + rng.normal(0, 0.4, [*ids.shape, 1])).astype("float32")
        smooth = smoother(frame, noisy)
        errors["raw"].append(np.abs(noisy[..., 0] - ids).mean())
        errors["smooth"].append(np.abs(smooth[..., 0] - ids).mean())
    assert smooth.dtype == "float32" and smooth.shape == noisy.shape
    assert errors["smooth"][0] == errors["raw"][0]  # there is no past yet
    assert errors["smooth"][-1] < 0.6 * errors["raw"][-1]
    # The square has moved 21 px, more than its side: the past came along.
    assert smooth[ids == 1].mean() > 0.85


def test_without_strength_nothing_changes():
    smoother = video.Smoother(0)
    for index in range(2):
        frame, ids = films.square(index)
        given = ids[..., None].astype("float32")
        np.testing.assert_array_equal(smoother(frame, given), given)


def test_a_cut_to_another_scene_forgets_the_past():
    smoother, dark = video.Smoother(0.9), np.zeros([64, 64, 3], "uint8")
    smoother(dark, np.ones([64, 64, 1], "float32"))
    found = smoother(dark + 200, np.zeros([64, 64, 1], "float32"))
    assert found.max() < 1e-6


@pytest.mark.parametrize("strength", [1, -0.1, float("nan"), "much", True])
def test_a_strength_out_of_range_is_refused(strength):
    with pytest.raises(ValueError, match="`strength` must be from 0 to below 1"):
        video.Smoother(strength)
