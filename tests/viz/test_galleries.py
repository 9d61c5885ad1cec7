"""Error maps, triptychs and galleries: colours and sizes."""

import numpy as np
import pytest

from kerasseg import viz
from tests.viz.pictures import QUADRANTS


def test_errors_mark_wrong_pixels_but_not_ignored_ones():
    wrong = viz.errors(np.zeros([20, 24]), QUADRANTS, np.zeros([20, 24], int))
    is_wrong = (wrong == (213, 94, 0)).all(-1)
    np.testing.assert_array_equal(is_wrong, (QUADRANTS == 1) | (QUADRANTS == 2))


@pytest.mark.parametrize("size", [(1, 1), (64, 64), (2000, 2000)])
def test_triptych_is_as_large_for_every_image(size):
    label = np.zeros(size, int)
    picture = viz.triptych(label.astype("uint8"), label, label, panel_px=300)
    assert picture.shape[1] == 4 * 300 + 3 * 8 + 2 * 8


def test_gallery_keeps_to_its_width_with_long_names():
    label = np.zeros([30, 40], int)
    row = {"image": label.astype("uint8"), "label": label, "prediction": label}
    rows = [
        {**row, "name": "x" * 300, "score": 0.25},
        {**row, "name": "b", "score": None},
    ]
    one = viz.gallery({"Worst": rows[1:]}, panel_px=100)
    picture = viz.gallery({"Worst": rows, "Best": rows}, panel_px=100)
    assert picture.shape[1] == one.shape[1] == 4 * 100 + 3 * 8 + 16
    assert picture.shape[0] > 2.5 * one.shape[0]


def test_gallery_refuses_nothing():
    with pytest.raises(ValueError, match="at least one row"):
        viz.gallery({"Worst": []})


def test_pictures_of_any_size_stand_side_by_side():
    grey, high = np.zeros([40, 30]), np.full([80, 20, 3], 200, "uint8")
    found = viz.side_by_side([grey, high], ["one", "a very long title of it"])
    # 320 px high, 240 and 80 wide, 8 between and around; titles above.
    assert found.shape[1] == 240 + 80 + 3 * 8 and 320 + 16 < found.shape[0] < 370
    assert (found[-9, 8 : 8 + 240] == 0).all() and (found[-9, -9] == 200).all()
    as_they_are = viz.side_by_side([grey, high], height_px=None)
    assert as_they_are.shape == (96, 30 + 20 + 24, 3)


def test_titles_must_be_as_many_as_pictures():
    for pictures, titles in (([], None), ([np.zeros([4, 4])], ["a", "b"])):
        with pytest.raises(ValueError, match="one picture or more"):
            viz.side_by_side(pictures, titles)
