import numpy as np

from kerasseg import metrics
from tests.video import films


def test_what_moves_with_the_picture_does_not_flicker():
    # A camera pans by 4 px over stripes of 8 px.
    big = films.texture(96, 136)
    before, now = big[:, 4:-4].copy(), big[:, :-8].copy()
    columns = np.arange(128) // 8 % 2
    stripes = np.tile(columns, (96, 1))
    moved = np.roll(stripes, 4, axis=1)
    counts = metrics.flicker_counts((before, stripes), (now, moved), 2)
    assert counts.sum() > 0.9 * stripes.size  # new pixels at the left do not count
    assert 1 - metrics.mean_iou(counts) < 0.1
    # An answer that stays where it was changes for half of the surface: IoU 1 / 3.
    still = metrics.flicker_counts((before, stripes), (now, stripes), 2)
    np.testing.assert_allclose(metrics.mean_iou(still), 1 / 3, atol=0.05)


def test_a_class_that_comes_and_goes_flickers():
    frame, ids = films.square(0)
    counts = metrics.flicker_counts((frame, ids), (frame, 0 * ids), 2)
    # All 400 pixels of the square changed, and none of the others.
    assert counts.tolist() == [[72 * 96 - 400, 0], [400, 0]]
    assert metrics.flicker_counts((frame, ids), (frame, ids), 2)[1, 1] == 400


def test_new_pixels_do_not_count():
    frame, ids = films.square(0)
    counts = metrics.flicker_counts((frame, ids), (np.full_like(frame, 255), ids), 2)
    assert counts.sum() < 0.05 * ids.size
