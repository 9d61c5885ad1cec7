"""Eight ways to lay an image."""

import numpy as np
import pytest

from kerasseg.predict.views import VIEWS, check_flips


@pytest.mark.parametrize("flips, number", [(False, 1), ("horizontal", 2), ("both", 4)])
def test_views_are_different_and_can_be_undone(flips, number, rng):
    image = rng.normal(size=[1, 3, 4, 2])
    laid = [view.of(image) for view in VIEWS[flips]]
    assert len({x.tobytes() for x in map(np.ascontiguousarray, laid)}) == number
    for view, x in zip(VIEWS[flips], laid):
        np.testing.assert_array_equal(view.undo(x), image)


def test_all_views_are_those_of_a_square(rng):
    square = rng.normal(size=[1, 5, 5, 1])
    turns = [np.rot90(square, number, (1, 2)) for number in range(4)]
    expected = {x.tobytes() for turn in turns for x in (turn, turn[:, :, ::-1].copy())}
    found = {np.ascontiguousarray(view.of(square)).tobytes() for view in VIEWS["all"]}
    assert len(found) == 8 and found == expected


@pytest.mark.parametrize("flips", ["up", None, [], 3])
def test_anything_else_is_refused(flips):
    with pytest.raises(ValueError, match=r"or .all.\. Received: flips="):
        check_flips(flips)
