import cv2
import numpy as np
import pytest

from kerasseg import video
from tests.video import films


def shifted(x, y, size=(96, 128)):
    """A picture and the same seen x px further right and y px further down."""
    big = films.texture(size[0] + 32, size[1] + 32)
    first = big[16:-16, 16:-16]
    second = big[16 - y : 16 - y + size[0], 16 - x : 16 - x + size[1]]
    return np.ascontiguousarray(first), np.ascontiguousarray(second)


@pytest.mark.parametrize("x, y", [(0, 0), (4, 0), (-3, 5)])
def test_motion_finds_where_pixels_were(x, y):
    before, now = shifted(x, y)
    flow = video.motion(before, now)
    inner = flow[20:-20, 20:-20]
    assert flow.shape == (96, 128, 2) and flow.dtype == "float32"
    # Where a pixel was: to the left of where it is, if it moved right.
    np.testing.assert_allclose(np.median(inner, (0, 1)), (-x, -y), atol=0.3)


def test_small_and_grey_frames_do_too():
    before, now = (cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for f in shifted(1, 0, (9, 11)))
    assert video.motion(before, now).shape == (9, 11, 2)
    assert video.motion(before[:1, :1], now[:1, :1]).shape == (1, 1, 2)


def test_warp_moves_values_and_repeats_the_border():
    values = np.arange(12, dtype="float32").reshape(3, 4)
    down = np.full([3, 4, 2], (0, -1), "float32")
    expected = values[[0, 0, 1]]
    np.testing.assert_array_equal(video.warp(values, down), expected)
    np.testing.assert_array_equal(video.warp(values, down, nearest=True), expected)
    many = np.stack([values + 100 * i for i in range(7)], -1)  # above four channels
    np.testing.assert_array_equal(video.warp(many, down), many[[0, 0, 1]])
    half = np.full([3, 4, 2], (0, -0.5), "float32")
    np.testing.assert_allclose(video.warp(values, half)[1], (values[0] + values[1]) / 2)


def test_what_comes_up_from_behind_is_not_visible_before():
    (before, _), (now, ids) = films.square(0), films.square(2)
    sure = video.visible(before, now, video.motion(before, now))
    assert sure.dtype == "float32" and 0 <= sure.min() <= sure.max() <= 1
    assert sure[:20].mean() > 0.95  # nothing moves there
    # The strip that the square has left, 6 px wide, was hidden.
    strip = sure[28:44, 10 : 10 + 2 * films.STEP]
    assert strip.mean() < 0.5 < sure[ids == 1].mean()


def test_what_comes_from_outside_is_not_visible():
    before, now = shifted(8, 0)
    flow = np.full([96, 128, 2], (-8, 0), "float32")  # the truth
    sure = video.visible(before, now, flow)
    assert sure[:, :8].max() == 0 and sure[:, 8:].min() == 1


def test_frames_of_two_sizes_are_refused():
    with pytest.raises(ValueError, match="uint8 of one size"):
        video.motion(np.zeros([8, 8, 3], "uint8"), np.zeros([8, 9, 3], "uint8"))
    with pytest.raises(ValueError, match="uint8 of one size"):
        video.motion(np.zeros([8, 8, 3]), np.zeros([8, 8, 3]))
